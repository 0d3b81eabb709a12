"""The same checkpoint and 96 questions through `hf:`, `lmms:qwen3_vl`, and our task inside lmms-eval.

Where the prompts are equal to the word and the frames to the pixel, all letters are equal. What makes them differ is
tried one by one: the system text that lmms-eval's class adds, and the sizes that it scales frames to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from lmms_eval_runs import run_inside

import egocross_eval
from egocross_eval import Run, evaluate, load_run
from egocross_eval.tasks.egocross.demo import write_demo

CHECKPOINT = Path(egocross_eval.__file__).parent / "training" / "demo_model"
SYSTEM = "You are a helpful assistant."
"""What lmms-eval's class puts in front by itself."""

ASKED: dict[str, Any] = {"limit": 96, "frames": "uniform:1", "max_new_tokens": 4, "cache": False}
TEMPLATE = '{% set system = "' + SYSTEM + '" %}{{ frames }}{{ question }}\n{{ option_block }}'
"""The style `challenge` with that system text."""

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo benchmark with frames of 96 x 64 pixels: 32 divides both, and neither side scales them."""
    from PIL import Image

    root = tmp_path_factory.mktemp("exact")
    write_demo(root)
    for path in root.rglob("*"):
        if path.suffix.lower() in (".jpg", ".png"):
            with Image.open(path) as picture:
                small = picture.convert("RGB").resize((96, 64))
            small.save(path, format="PNG")
    return root


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("style") / "helpful.j2"
    path.write_text(TEMPLATE)
    return path


@pytest.fixture(scope="module")
def asked(exact: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    def asked(model: str, **keywords: Any) -> Run:
        output = tmp_path_factory.mktemp("run") / "run"
        return evaluate(model, data=keywords.pop("data", exact), split="demo", output=output, **{**ASKED, **keywords})

    return asked


@pytest.fixture(scope="module")
def by_hf(asked: Callable[..., Run], template: Path) -> Run:
    return asked(f"hf:{CHECKPOINT},dtype=bfloat16,device=cpu,batch_size=1", style=str(template))


@pytest.fixture(scope="module")
def by_lmms(asked: Callable[..., Run]) -> Run:
    return asked(f"lmms:qwen3_vl,pretrained={CHECKPOINT}", style="challenge")


@pytest.fixture(scope="module")
def inside_lmms_eval(exact: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    words = ["--limit", "96", "--frames", "uniform:1", "--max-new-tokens", "4", "--style", "challenge"]
    words += ["--device", "cpu"]
    arguments = f"pretrained={CHECKPOINT},device_map=cpu"
    return load_run(run_inside(exact, tmp_path_factory.mktemp("inside"), arguments, *words, model="qwen3_vl").folder)


def outputs(run: Run) -> dict[str, str]:
    return {sample.key: sample.answers[0].response.text or "" for sample in run.samples}


def differing(one: Run, other: Run) -> Sequence[str]:
    mine, theirs = outputs(one), outputs(other)
    assert set(mine) == set(theirs)
    return [f"{key}: {mine[key]!r}, {theirs[key]!r}" for key in mine if mine[key] != theirs[key]]


def test_the_prompts_are_equal_to_the_word(by_hf: Run, by_lmms: Run) -> None:
    added = by_lmms.record.model.details["added_system_text"]
    for mine, theirs in zip(by_hf.samples, by_lmms.samples, strict=True):
        assert mine.answers[0].sent.messages == (("system", added), *theirs.answers[0].sent.messages)
        assert mine.answers[0].sent.frames == theirs.answers[0].sent.frames


def test_equal_prompts_have_equal_answers_on_both_sides(by_hf: Run, by_lmms: Run) -> None:
    assert len(by_hf.samples) == 96
    assert differing(by_hf, by_lmms) == []
    assert by_hf.results.groups == by_lmms.results.groups
    assert len(set(outputs(by_hf).values())) > 2, "the model tells questions apart"


def test_our_task_inside_lmms_eval_has_the_same_answers(by_lmms: Run, inside_lmms_eval: Run) -> None:
    assert differing(by_lmms, inside_lmms_eval) == []
    assert by_lmms.results.groups == inside_lmms_eval.results.groups


def test_without_the_added_system_text_answers_differ(asked: Callable[..., Run], by_lmms: Run) -> None:
    plain = asked(f"hf:{CHECKPOINT},dtype=bfloat16,device=cpu,batch_size=1", style="challenge")
    assert differing(plain, by_lmms)


def test_frames_that_both_sides_scale_are_scaled_otherwise(
    asked: Callable[..., Run], demo: Path, template: Path
) -> None:
    """Ours go by the checkpoint's limits, at most 8192 pixels; the class scales to 4096 at least and 16 million at
    most, whatever the checkpoint or its own `max_pixels` says."""
    size = {"limit": 12, "data": demo}
    mine = asked(f"hf:{CHECKPOINT},dtype=bfloat16,device=cpu,batch_size=1", style=str(template), **size)
    theirs = asked(f"lmms:qwen3_vl,pretrained={CHECKPOINT},max_pixels=8192", style="challenge", **size)
    tokens = [(m.cost.input_tokens, t.cost.input_tokens) for m, t in zip(mine.samples, theirs.samples, strict=True)]
    assert differing(mine, theirs), tokens
