"""EgoCross and our adapters inside the real lmms-eval: its figures are ours."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from pathlib import Path

import pytest
from calling import call
from lmms_eval_runs import LmmsEvalRun, left, run_inside, start
from replied import document

import egocross_eval
from egocross_eval import DataOptions, Run, UsageError, evaluate, load_run
from egocross_eval.interop.importing.runs import ImportOptions, import_run
from egocross_eval.runs.options import options_from

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


def test_its_log_is_made_a_run_with_our_figures(inside: LmmsEvalRun, ours: Run) -> None:
    run = load_run(inside.folder)
    assert run.results.complete
    assert run.results.counts == ours.results.counts
    assert (run.results.micro, run.results.macro) == (ours.results.micro, ours.results.macro)
    assert run.results.groups == ours.results.groups
    assert run.record.questions_hash == ours.record.questions_hash
    assert run.record.settings == ours.record.settings
    for mine, theirs in zip(ours.samples, run.samples, strict=True):
        assert theirs.answers[0].sent.messages
        assert [frame.name for frame in theirs.answers[0].sent.frames] == [f.name for f in mine.question.frames]
    assert run.record.imported is not None
    assert (run.record.imported.tool, run.record.imported.version) == (
        "lmms-eval",
        importlib.metadata.version("lmms-eval"),
    )
    assert run.record.model.spec == "lmms:egocross,spec=baseline:longest"
    assert "100 of 100 answers are read here as lmms-eval read them" in inside.printed


def test_a_part_of_its_log_is_a_run_of_that_part(inside: LmmsEvalRun, demo: Path, tmp_path: Path) -> None:
    """A results file without three of its four tasks, as of '--tasks egocross_animal'."""
    (file,) = inside.folder.rglob("*_results.json")
    results = json.loads(file.read_text())
    results["configs"] = {"egocross_animal": results["configs"]["egocross_animal"]}
    (tmp_path / file.name).write_text(json.dumps(results))
    (log,) = file.parent.glob("*_samples_egocross_animal.jsonl")
    shutil.copy(log, tmp_path)
    data = DataOptions(data=demo)
    run = import_run(tmp_path, tmp_path / "run", ImportOptions(data=data)).run
    assert run.results.complete
    assert {sample.question.label("domain") for sample in run.samples} == {"animal"}
    assert run.record.question_count == len(run.samples) == 12


def test_other_data_than_were_asked_are_refused(inside: LmmsEvalRun, demo: Path, tmp_path: Path) -> None:
    shutil.copytree(demo, tmp_path / "data")
    (file,) = (tmp_path / "data").rglob("egocross_testbed_imgs.json")
    entries = json.loads(file.read_text())
    entries[0]["question_text"] = "Another question?"
    file.write_text(json.dumps(entries))
    (log,) = inside.folder.rglob("*_results.json")
    with pytest.raises(UsageError, match="aren't those that were asked"):
        import_run(log, tmp_path / "run", ImportOptions(data=DataOptions(data=tmp_path / "data")))


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


def test_our_engine_inside_lmms_eval_answers_as_in_a_run_of_ours(demo: Path, tmp_path: Path) -> None:
    checkpoint = Path(egocross_eval.__file__).parent / "training" / "demo_model"
    words = ["--limit", "24", "--frames", "uniform:1", "--style", "challenge", "--max-new-tokens", "4"]
    more = ["--device", "cpu", "--format", "json"]
    inner = run_inside(demo, tmp_path, f"spec=hf:{checkpoint},dtype=float32", *words, *more)
    asked = {"limit": 24, "frames": "uniform:1", "style": "challenge", "max_new_tokens": 4}
    spec = f"hf:{checkpoint},dtype=float32,device=cpu"
    ours = evaluate(spec, data=demo, split="demo", output=tmp_path / "ours", options=options_from(**asked))
    theirs = load_run(inner.folder)
    texts = [[sample.answers[0].response.text for sample in run.samples] for run in (ours, theirs)]
    assert texts[0] == texts[1]
    assert len(set(texts[0])) > 1
    assert theirs.results.groups == ours.results.groups
    tokens = [[sample.cost.output_tokens for sample in run.samples] for run in (ours, theirs)]
    assert tokens[0] == tokens[1]
    said = document("lmms-eval run", inner.printed)
    assert (said["tool"], said["joined"]) == ("lmms-eval", 24)
    assert Path(said["log"]).is_relative_to(said["run"])


def test_our_adapters_answer_tasks_that_are_not_ours(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tasks of the contribution, which know nothing of this package."""
    (tmp_path / "myuniverse").mkdir()
    (tmp_path / "myuniverse" / "EgoCross").symlink_to(demo)
    monkeypatch.setenv("EGOCROSS_DATA", str(demo))
    checkpoint = Path(egocross_eval.__file__).parent / "training" / "demo_model"
    folder = Path(__file__).parents[2] / "contrib" / "lmms_eval" / "egocross"
    words: list[str | Path] = [
        "--include_path",
        folder,
        "--tasks",
        "egocross_animal",
        "--limit",
        "4",
        "--device",
        "cpu",
    ]
    words += ["--model", "egocross", "--model_args", f"spec=hf:{checkpoint},dtype=float32"]
    words += ["--log_samples", "--output_path", tmp_path / "logs"]
    found = left(tmp_path / "logs", start(tmp_path, "lmms_eval", *words).stdout)
    assert len(found.samples()) == 4
    assert all(sample["micro"]["outcome"] != "errored" for sample in found.samples())
    assert all(sample["filtered_resps"] for sample in found.samples())


def test_an_error_of_lmms_eval_is_one_although_it_exits_with_0(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    words: list[str | Path] = ["--data", demo, "--split", "demo", "--limit", "4", "--output", tmp_path / "run"]
    assert call("lmms-eval", "run", *words, "--model", "egocross", "--model_args", "spec=nonsense:x") == 1
    told = capfd.readouterr().err
    assert "Error: lmms-eval wrote no results (exit code 0): unknown model adapter 'nonsense'" in told


def test_the_version_that_is_tested_is_the_one_of_the_lock() -> None:
    lock = Path(__file__).parents[2] / "requirements" / "lmms-eval.txt"
    assert f"lmms-eval=={importlib.metadata.version('lmms_eval')} " in lock.read_text()
