"""What LLaMA-Factory is given to train on."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from training_files import example, four_videos, write_base, write_frame, write_support

from egocross_eval.contracts.registry import registry
from egocross_eval.errors import DataError, UsageError
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.prompts.renderer import Renderer, prompt_text
from egocross_eval.settings import PromptSettings
from egocross_eval.training.curriculum import Curriculum, ordered
from egocross_eval.training.dataset import NAME, as_item, check_style, render_examples, write_dataset
from egocross_eval.training.examples import Examples, read_examples
from egocross_eval.training.frame_copies import FrameCopies
from egocross_eval.training.frame_sizes import Limits, processor_limits


def renderer(style: str = "letter", **changes: object) -> Renderer:
    settings = PromptSettings(style=style, **changes)  # type: ignore[arg-type]
    return Renderer(style=registry().prompt_style(style), settings=settings)


@pytest.fixture
def examples(tmp_path: Path) -> Examples:
    return read_examples(write_support(tmp_path, four_videos()))


def frames_of(tmp_path: Path, limits: Limits | None = None, budget: int | None = None) -> FrameCopies:
    return FrameCopies(tmp_path / "copies", limits, budget, (1024, budget or 1 << 30))


def test_the_trained_prompt_is_the_one_that_evaluation_renders(examples: Examples, tmp_path: Path) -> None:
    shown = renderer(timestamps=True)
    rendered = list(render_examples(examples.train, shown, examples.root))
    for question, one in zip(examples.train, rendered, strict=True):
        asked = shown.render(question, examples.root)
        item = as_item(one, frames_of(tmp_path))
        assert item["messages"][0]["content"] == prompt_text(asked)[0][1]
        assert item["images"] == asked.frame_paths()
        assert item["messages"][-1] == {"role": "assistant", "content": question.target}
        assert all(Path(path).is_absolute() for path in item["images"])
        assert "A: Wolf" in item["messages"][0]["content"]


def test_the_registration_has_the_tags_of_role_and_content(examples: Examples, tmp_path: Path) -> None:
    items = [as_item(one, frames_of(tmp_path)) for one in render_examples(examples.train, renderer(), examples.root)]
    hashes = write_dataset(tmp_path / "data", {NAME: items})
    info = json.loads((tmp_path / "data" / "dataset_info.json").read_text(encoding="utf-8"))[NAME]
    assert info["tags"]["role_tag"] == "role"
    assert info["tags"]["content_tag"] == "content"
    assert info["tags"]["user_tag"] == "user"
    assert info["tags"]["assistant_tag"] == "assistant"
    assert (tmp_path / "data" / info["file_name"]).is_file()
    assert set(hashes) == {info["file_name"]}


def test_a_question_that_writes_the_placeholder_itself_is_refused(tmp_path: Path) -> None:
    root = write_support(tmp_path, [example()])
    found = read_examples(root)
    template = tmp_path / "double.j2"
    template.write_text("<image>{{ frames }}{{ question }}\n{{ option_block }}", encoding="utf-8")
    from egocross_eval.prompts.templates import template_style

    with pytest.raises(DataError, match="3 <image> marks for 2 images"):
        list(
            render_examples(
                found.train, msgspec.structs.replace(renderer(), style=template_style(template)[0]), found.root
            )
        )


@pytest.mark.parametrize(("style", "media"), [("json", "images"), ("letter", "video")])
def test_what_cannot_be_trained_on_letters_is_refused(style: str, media: str) -> None:
    with pytest.raises(UsageError):
        check_style(style, renderer(style, media=media))


@given(st.integers(1, 4), st.integers(0, 100))
def test_passes_and_orders_of_options_keep_the_right_text(passes: int, seed: int) -> None:
    from egocross_eval.schema import Question

    base = [
        Question(
            id=i,
            key=str(i),
            text="?",
            options=dict(zip("ABCD", [f"d{i}", f"a{i}", f"c{i}", f"b{i}"], strict=True)),
            cluster="v",
            target="ABCD"[i % 4],
        )
        for i in range(8)
    ]
    right = {q.key: q.options[q.target or ""] for q in base}
    out = list(ordered(base, Curriculum(passes=passes, sort_until=0.0, shuffle_from=1.0, seed=seed)))
    assert Counter(q.key for q in out) == {q.key: passes for q in base}
    assert all(q.options[q.target or ""] == right[q.key] == q.references["answer_text"] for q in out)


def test_options_are_sorted_first_and_random_at_the_end(examples: Examples) -> None:
    out = list(ordered(examples.train, Curriculum(passes=40, sort_until=0.25, shuffle_from=0.5)))
    in_order = [list(q.options.values()) == sorted(q.options.values()) for q in out]
    assert all(in_order[: len(out) // 4])
    assert sum(in_order[len(out) // 2 :]) < 0.2 * len(out)


def test_without_a_curriculum_examples_stay_as_they_are(examples: Examples) -> None:
    assert list(ordered(examples.train, Curriculum())) == list(examples.train)


def test_a_frame_that_training_would_show_in_another_size_is_copied_in_evaluations(tmp_path: Path) -> None:
    limits = processor_limits(Checkpoint(str(write_base(tmp_path / "base"))))
    assert limits is not None
    size = next(
        (height, width)
        for height in range(700, 900, 7)
        for width in range(900, 1300, 11)
        if limits.trained((height, width), 1024, 360_000) != limits.asked((height, width), 360_000)
    )
    frame = tmp_path / "frame.png"
    Image.new("RGB", (size[1], size[0]), (200, 10, 10)).save(frame)
    copies = frames_of(tmp_path, limits, 360_000)
    copy = Path(copies.path(str(frame)))
    with Image.open(copy) as image:
        shown = (image.height, image.width)
        assert image.convert("RGB").getpixel((image.width - 5, image.height - 5)) == (200, 10, 10)
    assert shown == limits.asked(size, 360_000) == limits.trained(shown, 1024, 360_000)
    assert copies.copied == 1


def test_a_frame_that_both_show_alike_is_not_copied(tmp_path: Path) -> None:
    limits = Limits(factor=32, least=1024, most=1 << 24)
    frame = tmp_path / "frame.png"
    write_frame(frame, (1, 2, 3), (96, 64))
    copies = frames_of(tmp_path, limits, 360_000)
    assert copies.path(str(frame)) == str(frame)
    assert copies.copied == 0
