"""EgoCross and our adapters inside the real lmms-eval: its figures are ours."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
from calling import call
from lmms_eval_runs import LmmsEvalRun, left, start

from egocross_eval import Run, evaluate

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]


@pytest.fixture(scope="module")
def ours(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same model in a run of ours."""
    return evaluate("baseline:longest", data=demo, split="demo", output=tmp_path_factory.mktemp("ours") / "run")


def test_its_table_has_our_figures(inside: LmmsEvalRun, ours: Run) -> None:
    micro, macro = ours.results.micro, ours.results.macro
    assert micro is not None
    assert macro is not None
    assert inside.value("egocross", "micro") == pytest.approx(micro.accuracy)
    assert inside.value("egocross", "macro") == pytest.approx(macro.accuracy)
    for part, figure in ours.results.groups["domain"].items():
        assert inside.value(f"egocross_{part}", "micro") == pytest.approx(figure.accuracy)
        assert inside.results["n-samples"][f"egocross_{part}"]["effective"] == figure.n


def test_its_sample_logs_name_every_question_and_its_letter(inside: LmmsEvalRun, ours: Run) -> None:
    logged = {line["micro"]["question_id"]: line for line in inside.samples()}
    assert set(logged) == {sample.key for sample in ours.samples}
    for sample in ours.samples:
        row = logged[sample.key]["micro"]
        assert (row["letter"], row["outcome"]) == (sample.grade.prediction, sample.outcome)
        assert logged[sample.key]["target"] == sample.question.target


def test_people_who_type_lmms_eval_themselves_name_the_folder(demo: Path, tmp_path: Path) -> None:
    options: list[str | Path] = ["--data", demo, "--split", "demo", "--limit", "40"]
    folder = start(tmp_path, "egocross_eval", "lmms-eval", "path", *options).stdout.strip()
    words: list[str | Path] = [
        "--include_path",
        folder,
        "--tasks",
        "egocross_animal",
        "--output_path",
        tmp_path / "logs",
        "--log_samples",
    ]
    model = ["--model", "egocross", "--model_args", "spec=baseline:constant,letter=B"]
    done = start(tmp_path, "lmms_eval", *words, *model)
    found = left(tmp_path / "logs", done.stdout)
    lines = (Path(folder) / "egocross_animal.jsonl").read_text().splitlines()
    assert 0 < len(found.samples()) == len(lines) < 40
    assert {line["micro"]["letter"] for line in found.samples()} == {"B"}
    assert "egocross_animal" in done.stdout


def test_an_error_of_lmms_eval_is_one_although_it_exits_with_0(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    words: list[str | Path] = ["--data", demo, "--split", "demo", "--limit", "4", "--output", tmp_path / "run"]
    assert call("lmms-eval", "run", *words, "--model", "egocross", "--model_args", "spec=nonsense:x") == 1
    told = capfd.readouterr().err
    assert "lmms-eval wrote no results" in told
    assert "unknown model adapter 'nonsense'" in told


def test_the_version_that_is_tested_is_the_one_of_the_lock() -> None:
    lock = Path(__file__).parents[2] / "requirements" / "lmms-eval.txt"
    assert f"lmms-eval=={importlib.metadata.version('lmms_eval')} " in lock.read_text()
