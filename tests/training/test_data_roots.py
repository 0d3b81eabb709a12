"""Parts of the benchmark that lie in several folders: whatever takes a data root takes several, in either order."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from calling import call
from training_files import write_base

from egocross_eval import RunKeywords, evaluate
from egocross_eval.contracts.registry import registry
from egocross_eval.frames.roots import root_that_holds
from egocross_eval.runs.dataset import believed_root
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import plan_run
from egocross_eval.settings import joined_paths
from egocross_eval.training.experiment_file import Expert, read_experiment, train_options
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.planning import plan_training

SUPPORT, TESTBED = "egocross_support_set", "egocross_testbed"


@pytest.fixture(scope="module")
def parts(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of both splits in one folder, and all frames in the other."""
    files, frames = (tmp_path_factory.mktemp("parts") / name for name in ("files", "frames"))
    shutil.copytree(demo, frames)
    for path in frames.glob("egocross_*/*.json"):
        place = files / path.relative_to(frames)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)
    return [files, frames]


@pytest.fixture(params=[1, -1], ids=["files first", "frames first"])
def roots(request: pytest.FixtureRequest, parts: list[Path]) -> list[Path]:
    return parts[:: request.param]


def flags(roots: list[Path]) -> list[str]:
    return [word for root in roots for word in ("--data", str(root))]


def test_a_training_takes_both_and_checks_the_testbed_of_the_other(roots: list[Path], tmp_path: Path) -> None:
    options = TrainOptions(
        model=str(write_base(tmp_path / "base")), data=joined_paths(roots), output=tmp_path / "out", recipe="lora"
    )
    plan = plan_training(options, registry())
    assert not plan.errors
    assert not [found.message for found in plan.findings if "could not be checked" in found.message]


def test_the_command_line_and_the_environment_take_both(
    roots: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = write_base(tmp_path / "base")
    train: list[str | Path] = ["train", "--model", base, "--output", tmp_path / "out", "--gpus", "0", "--dry-run"]
    assert call(*train, *flags(roots)) == 0
    monkeypatch.setenv("EGOCROSS_DATA", str(joined_paths(roots)))
    assert call(*train) == 0
    said = capsys.readouterr()
    assert "could not be checked" not in said.out + said.err
    monkeypatch.delenv("EGOCROSS_DATA")
    assert call(*train) == 2
    assert "pass --data ROOT or set EGOCROSS_DATA" in capsys.readouterr().err


def test_examples_before_questions_are_found_in_either(roots: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    given: RunKeywords = {"split": "testbed", "shots": "1"}
    monkeypatch.setenv("EGOCROSS_DATA", str(joined_paths(roots)))
    for keywords in (given | {"data": joined_paths(roots)}, given):
        plan = plan_run(options_from(**keywords), registry())
        shots = plan.approach(plan.questions[0]).renderer.shots
        assert shots is not None
        assert shots.root is not None
        (shot,) = shots.of(plan.questions[0])
        assert all(shots.root.resolve(frame.name).is_file() for frame in shot.question.frames)


def test_an_experiment_names_them_in_a_list(roots: list[Path], tmp_path: Path) -> None:
    file = tmp_path / "e.yaml"
    base = write_base(tmp_path / "base")
    content = {"model": str(base), "data": list(map(str, roots)), "output": "out", "domains": ["animal"]}
    file.write_text(yaml.safe_dump(content))
    options = train_options(read_experiment(file), Expert(domain="animal"))
    assert options.data == joined_paths(roots)
    assert not plan_training(options, registry()).errors
    own = {**content, "train": {"questions": f"{SUPPORT}/train.json"}}
    file.write_text(yaml.safe_dump(own))
    found = train_options(read_experiment(file), Expert(domain="animal")).questions_file
    assert found is not None
    assert found.is_file()


def test_frames_of_a_run_are_shown_from_the_one_that_holds_them(
    parts: list[Path], roots: list[Path], tmp_path: Path
) -> None:
    run = evaluate("baseline:longest", split="demo", data=parts, tasks="animal", output=tmp_path / "run")
    assert believed_root(run.record, joined_paths(roots), run.samples) == parts[1]
    assert call("view", run.path, "--frames", "--most", "1", *flags(roots)) == 0


def test_where_no_root_holds_a_frame_the_first_is_named(tmp_path: Path) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    assert root_that_holds(roots, ["a/b.jpg"]) == roots[0]
    (roots[1] / "a").mkdir(parents=True)
    (roots[1] / "a" / "b.jpg").touch()
    assert root_that_holds(roots, ["/a/b.jpg"]) == roots[1]
