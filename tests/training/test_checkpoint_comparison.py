"""Every kept checkpoint is asked what a training held out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from training_files import training_card

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.spec import parse_spec
from egocross_eval.schema import Figure
from egocross_eval.training.card_files import write_card
from egocross_eval.training.checkpoint_comparison import (
    LOOKS_NAME,
    Look,
    compare_checkpoints,
    kept_checkpoints,
    looks_table,
    spec_of,
)

RIGHT = {"base": 5, "checkpoint-9": 9, "checkpoint-10": 12, "final": 11}


def figure(spec: str, folder: Path, settings: Mapping[str, Any]) -> Figure:
    right = RIGHT[folder.name]
    return Figure(right=right, n=20, accuracy=right / 20, low=0.1, high=0.9)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A finished training with two checkpoints."""
    for name in ("checkpoint-9", "checkpoint-10"):
        (tmp_path / "model" / name).mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "holdout.json").write_text("[]", encoding="utf-8")
    write_card(tmp_path / "model", training_card())
    return tmp_path


def test_each_is_asked_once_as_it_was_trained(output: Path) -> None:
    asked: dict[str, str] = {}

    def ask(spec: str, folder: Path, settings: Mapping[str, Any]) -> Figure:
        asked[folder.name] = spec
        assert settings["questions"] == output / "data" / "holdout.json"
        assert (settings["frames"], settings["timestamps"], settings["max_pixels"]) == ("uniform:8", True, 360000)
        return figure(spec, folder, settings)

    looks = compare_checkpoints(output, Path("data"), ask)
    assert list(asked) == ["base", "checkpoint-9", "checkpoint-10", "final"]
    assert asked["base"] == "hf:/models/base"
    assert asked["checkpoint-9"] == f"hf:/models/base,lora={output / 'model' / 'checkpoint-9'}"
    assert msgspec.json.decode((output / LOOKS_NAME).read_bytes(), type=list[Look]) == looks


@pytest.mark.parametrize("kind", ["lora", "full"])
def test_a_folder_with_a_comma_is_one_of_a_spec(tmp_path: Path, kind: str) -> None:
    spec = parse_spec(spec_of("hf", training_card(kind=kind), tmp_path / "a,b"))
    assert str(tmp_path / "a,b") in (spec.target, spec.options.get("lora"))


def test_what_the_engine_can_not_take_is_told_before_the_base_is_asked(output: Path) -> None:
    def check(spec: str) -> None:
        if "lora=" in spec:
            raise UsageError(f"{spec}: vLLM can't serve it")

    with pytest.raises(UsageError, match=r"vllm:/models/base,lora=.*checkpoint-9: vLLM can't serve it"):
        compare_checkpoints(output, Path("data"), lambda *asked: pytest.fail("it was asked"), "vllm", check)


def write_weights(folder: Path, *contents: bytes) -> None:
    for number, content in enumerate(contents):
        (folder / f"model-{number}.safetensors").write_bytes(content)


def test_a_checkpoint_with_the_weights_of_the_finished_model_is_no_look_of_its_own(output: Path) -> None:
    """That of the last step; that of an earlier one has files of the same sizes too."""
    write_weights(output / "model", b"one", b"two")
    write_weights(output / "model" / "checkpoint-9", b"one", b"owt")
    write_weights(output / "model" / "checkpoint-10", b"one", b"two")
    found = compare_checkpoints(output, Path("data"), figure)
    assert [look.name for look in found] == ["base", "checkpoint-9", "final"]
    assert "chosen by 2 looks" in looks_table(found)
    write_weights(output / "model" / "checkpoint-10", b"one", b"two", b"three")
    assert "checkpoint-10" in kept_checkpoints(output / "model")


def test_the_best_is_named_with_the_number_of_looks_that_chose_it(output: Path) -> None:
    lines = looks_table(compare_checkpoints(output, Path("data"), figure)).splitlines()
    assert "best: hf:/models/base,lora=" in lines[-2]
    assert lines[-2].endswith("checkpoint-10")
    assert "3 looks at 20 examples" in lines[-1]


def looks(**right: int) -> list[Look]:
    return [
        Look(name=name, spec=f"hf:{name}", figure=Figure(right=one, n=20, accuracy=one / 20, low=0.1, high=0.9))
        for name, one in right.items()
    ]


def test_none_is_called_best_that_has_no_more_right_than_the_base() -> None:
    text = looks_table(looks(base=6, first=6, second=4, final=6))
    assert text.endswith("none has more right than the base, 6 of 20")
    assert "best" not in text
    assert "best: hf:first; as many right: final" in looks_table(looks(base=3, first=6, second=4, final=6))


def test_without_a_finished_training_or_a_holdout_the_remedy_is_said(output: Path) -> None:
    (output / "data" / "holdout.json").unlink()
    with pytest.raises(UsageError, match="--holdout"):
        compare_checkpoints(output, Path("data"), figure)
    with pytest.raises(UsageError, match="no finished training"):
        compare_checkpoints(output / "data", Path("data"), figure)
