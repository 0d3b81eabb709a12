"""The folder for lmms-eval's own repository: without our package it asks the same, and its figures are ours."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from lmms_eval_runs import left, start

from egocross_eval import DataOptions, Question, evaluate
from egocross_eval.contracts.registry import registry
from egocross_eval.interop.importing.runs import ImportOptions, import_run
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import plan_run

FOLDER = Path(__file__).parents[2] / "contrib" / "lmms_eval" / "egocross"
KWARGS = {"timestamps": True, "pre_prompt": "", "post_prompt": "\nReply with one letter only: A, B, C or D."}

WITHOUT_US = """
import runpy, sys
sys.modules["egocross_eval"] = None  # as if this package weren't installed: to import it is an ImportError
runpy.run_module("lmms_eval", run_name="__main__", alter_sys=True)
"""

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def utils() -> ModuleType:
    spec = importlib.util.spec_from_file_location("contributed_utils", FOLDER / "utils.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = set(sys.modules)
    spec.loader.exec_module(module)
    assert not [name for name in set(sys.modules) - before if name.startswith("egocross_eval")]
    return module


def documents(root: Path) -> list[dict[str, Any]]:
    (file,) = root.rglob("egocross_testbed_imgs.json")
    found: list[dict[str, Any]] = json.loads(file.read_text())
    return found


def test_it_is_made_of_what_lmms_eval_and_python_have() -> None:
    source = (FOLDER / "utils.py").read_text()
    assert "egocross_eval" not in source
    assert not [path for path in FOLDER.iterdir() if path.suffix == ".yaml" and "egocross_eval" in path.read_text()]


def test_prompts_frames_and_times_are_ours(demo: Path, utils: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGOCROSS_DATA", str(demo))
    plan = plan_run(options_from(data=demo, split="demo", timestamps=True), registry())
    told = {doc["id"]: doc for doc in documents(demo)}
    assert set(told) == {question.id for question in plan.questions}
    for question in plan.questions:
        (ours,) = plan.approach(question).renderer.render(question, plan.root).messages
        (theirs,) = utils.doc_to_messages(told[question.id], KWARGS)
        assert [part.get("text", part.get("url")) for part in theirs["content"]] == [
            getattr(part, "text", None) or getattr(part, "path", None) for part in ours.parts
        ]
        assert utils.doc_to_target(told[question.id]) == question.target


def test_frames_and_times_of_the_real_benchmark_are_ours(
    shared_data: Path, utils: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGOCROSS_DATA", "")
    monkeypatch.setattr(utils, "root", Path)
    source = options_from(data=shared_data, questions=shared_data / "egocross_testbed_imgs.json", frames="none")
    questions: Sequence[Question] = plan_run(source, registry()).questions
    told = {doc["id"]: doc for doc in documents(shared_data)}
    assert len(questions) == 957
    for question in questions:
        found = utils.frames(told[question.id])
        ours = [(frame.name.rpartition("/")[2], frame.time) for frame in question.frames]
        assert [(path.rpartition("/")[2], time) for path, time in found] == ours
        assert utils.options(told[question.id]) == question.options
        assert utils.DOMAINS[told[question.id]["dataset"]] == question.label("domain")


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("(C)", "C"),
        ("**D**", "D"),
        ("B: a bird", "B"),
        ("<think>A or B, the answer is A</think>\nB.", "B"),
        ("<think>the answer is A", ""),
        ("So the answer is **C**.", "C"),
        (r"\boxed{A}", "A"),
        ("The answer is A. No, the answer is B.", ""),
        ("A bird is seen.", ""),
        ("bird", "B"),
        ("I can't tell.", ""),
        ("", ""),
    ],
)
def test_letters_are_read_or_left(utils: ModuleType, text: str, letter: str) -> None:
    doc = {"options": ["A: Person", "B: Bird", "C: Ball", "D: Vehicle"]}
    assert utils.letter(text, doc) == letter


def test_no_data_root_is_said_with_its_remedy(utils: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EGOCROSS_DATA", raising=False)
    with pytest.raises(ValueError, match="set EGOCROSS_DATA to the folder"):
        utils.root()


@pytest.mark.interop
@pytest.mark.slow
def test_lmms_eval_runs_it_and_its_figures_are_ours(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of the dataset on the Hub leads to the demo here: `datasets` takes a folder of that name first."""
    (tmp_path / "myuniverse").mkdir()
    (tmp_path / "myuniverse" / "EgoCross").symlink_to(demo)
    monkeypatch.setenv("EGOCROSS_DATA", str(demo))
    (tmp_path / "without_us.py").write_text(WITHOUT_US)
    words: list[str | Path] = ["--include_path", FOLDER, "--tasks", "egocross", "--model", "dummy"]
    words += ["--model_args", "response=B", "--log_samples", "--output_path", tmp_path / "logs"]
    found = left(tmp_path / "logs", start(tmp_path, "without_us", *words).stdout)
    ours = evaluate("baseline:constant,letter=B", data=demo, split="demo", output=tmp_path / "ours")
    assert ours.results.micro is not None
    assert ours.results.macro is not None
    assert found.value("egocross", "micro") == pytest.approx(ours.results.micro.accuracy)
    assert found.value("egocross", "macro") == pytest.approx(ours.results.macro.accuracy)
    options = ImportOptions(data=DataOptions(data=demo, split="demo"))
    again = import_run(tmp_path / "logs", tmp_path / "run", options)
    assert again.run.results.groups == ours.results.groups
    assert again.comparison.same == 100
