"""The training card, and the warning when a run shows other prompts than training did."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from training_files import training_card

from egocross_eval.errors import DataError, UsageError
from egocross_eval.schema import RunSettings, Way
from egocross_eval.settings import PromptSettings
from egocross_eval.training.card import CARD_NAME, CARD_VERSION, read_card, warnings_for, warnings_for_model
from egocross_eval.training.card_files import write_card

MATCHING = RunSettings(
    tasks=("all",),
    split="testbed",
    prompt=PromptSettings(style="letter", frames="uniform:8", timestamps=True, max_pixels=360000),
)


def showing(**change: object) -> RunSettings:
    return msgspec.structs.replace(MATCHING, prompt=msgspec.structs.replace(MATCHING.prompt, **change))


def test_a_card_reads_back_as_it_was_written(tmp_path: Path) -> None:
    write_card(tmp_path, training_card())
    assert read_card(tmp_path) == training_card()


def test_a_card_of_version_0_1_reads_as_one_of_today(tmp_path: Path) -> None:
    (tmp_path / CARD_NAME).write_bytes((Path(__file__).parent / "cards" / "version_1.json").read_bytes())
    assert read_card(tmp_path) == training_card()


@pytest.mark.parametrize("base", ["egocross-eval models build-tiny --frame-pixels 8192 (stage 3)", "the demo's own"])
def test_a_sentence_in_place_of_a_base_is_read_as_how_the_base_is_made(tmp_path: Path, base: str) -> None:
    write_card(tmp_path, training_card(base=base))
    card = read_card(tmp_path)
    assert card is not None
    assert (card.base, card.base_made) == ("", base)
    with pytest.raises(UsageError, match=r"names no base; it was made by: .*; name one by --model"):
        card.known_base(tmp_path)


@pytest.mark.parametrize("base", ["Qwen/Qwen3-VL-4B-Instruct", "/my models/base", "C:\\my models\\base"])
def test_folders_and_names_of_the_hub_are_bases(tmp_path: Path, base: str) -> None:
    write_card(tmp_path, training_card(base=base))
    card = read_card(tmp_path)
    assert card is not None
    assert card.known_base(tmp_path) == base


def test_a_readme_without_a_base_says_how_it_is_made(tmp_path: Path) -> None:
    write_card(tmp_path, training_card(base="", base_made="models build-tiny BASE"))
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| base | made by models build-tiny BASE (abc) |" in text
    assert "hf:BASE,lora=THIS_FOLDER" in text


def test_a_card_of_a_later_version_is_refused(tmp_path: Path) -> None:
    write_card(tmp_path, training_card(card_version=CARD_VERSION + 1))
    with pytest.raises(DataError, match="update"):
        read_card(tmp_path)


def test_its_readme_gives_the_command_that_evaluates_as_it_was_trained(tmp_path: Path) -> None:
    write_card(tmp_path, training_card())
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "--style letter --frames uniform:8 --timestamps --max-pixels 360000" in text
    assert "hf:/models/base,lora=THIS_FOLDER" in text
    assert "1.5000 at step 1, 0.5000 at step 6" in text


def test_a_run_with_the_same_prompts_is_not_warned_of(tmp_path: Path) -> None:
    write_card(tmp_path, training_card())
    assert warnings_for(tmp_path, MATCHING) == []


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"frames": "all"}, "--frames all instead of uniform:8"),
        ({"max_pixels": None}, "(no --max-pixels instead of 360000)"),
        ({"timestamps": False}, "(no --timestamps)"),
        ({"style": "challenge"}, "--style challenge instead of letter"),
        ({"media": "video"}, "--media video instead of images"),
    ],
)
def test_a_run_with_other_prompts_is_warned_of_with_the_remedy(
    tmp_path: Path, change: dict[str, object], shown: str
) -> None:
    write_card(tmp_path, training_card())
    (warning,) = warnings_for(tmp_path, showing(**change))
    assert shown in warning
    assert "to match: --style letter --frames uniform:8" in warning


def test_what_a_strategy_sets_counts_and_not_the_settings_that_it_overrides(tmp_path: Path) -> None:
    write_card(tmp_path, training_card())
    as_trained = Way(prompt=MATCHING.prompt)
    by_strategy = msgspec.structs.replace(MATCHING, prompt=PromptSettings(), ways=(as_trained,))
    assert warnings_for(tmp_path, by_strategy) == []
    another = Way(prompt=msgspec.structs.replace(MATCHING.prompt, frames="tail:2"))
    (warning,) = warnings_for(tmp_path, msgspec.structs.replace(by_strategy, ways=(as_trained, another)))
    assert "(for some questions --frames tail:2 instead of uniform:8)" in warning


def test_another_template_under_the_same_name_is_warned_of(tmp_path: Path) -> None:
    mine = {"prompt": msgspec.structs.replace(MATCHING.prompt, style="mine.j2"), "style_hash": "aa"}
    write_card(tmp_path, training_card(**mine))
    run = msgspec.structs.replace(MATCHING, **mine)
    assert warnings_for(tmp_path, run) == []
    (warning,) = warnings_for(tmp_path, msgspec.structs.replace(run, style_hash="bb"))
    assert "another template" in warning
    elsewhere = msgspec.structs.replace(run.prompt, style="copies/mine.j2")
    assert warnings_for(tmp_path, msgspec.structs.replace(run, prompt=elsewhere)) == []


def test_the_adapter_of_a_spec_is_looked_at_too(tmp_path: Path) -> None:
    write_card(tmp_path, training_card())
    other = showing(frames="all")
    assert len(warnings_for_model("Qwen/Qwen3-VL-4B-Instruct", {"lora": str(tmp_path)}, other)) == 1
    assert warnings_for_model("Qwen/Qwen3-VL-4B-Instruct", {}, other) == []


def test_a_folder_without_a_card_says_nothing_and_a_broken_card_is_an_error(tmp_path: Path) -> None:
    assert warnings_for(tmp_path, MATCHING) == []
    (tmp_path / CARD_NAME).write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"training card .* is no valid JSON"):
        read_card(tmp_path)
