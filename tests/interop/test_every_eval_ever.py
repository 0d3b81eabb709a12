"""Records of Every Eval Ever: its own validator passes them, and their sums are ours."""

from __future__ import annotations

import json
from pathlib import Path

import other_environments as other
import pytest

from egocross_eval import Run, UsageError, evaluate, export_run

pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning")]

FORM = "every-eval-ever,organization=Us,model=us/longest"


@pytest.fixture(scope="module")
def run(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return evaluate("baseline:longest", data=demo, split="demo", output=tmp_path_factory.mktemp("every") / "run")


@pytest.mark.interop
def test_its_validator_passes_our_records(run: Run, tmp_path: Path) -> None:
    export_run(run.path, FORM, output=tmp_path / "out")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) == 2
    done = other.run("every-eval-ever", "every_eval_ever", "validate", *files, "--format", "json")
    reports = json.loads(done.stdout)
    assert [(report["valid"], report["errors"], report["warnings"]) for report in reports] == [(True, [], [])] * 2
    assert done.returncode == 0


def test_its_sums_are_ours(run: Run, tmp_path: Path) -> None:
    export_run(run.path, FORM, output=tmp_path / "out")
    (file,) = (tmp_path / "out").rglob("*.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    aggregate = json.loads(file.with_name(file.name.replace("_samples.jsonl", ".json")).read_text())
    results = {one["evaluation_name"]: one["score_details"] for one in aggregate["evaluation_results"]}
    micro, macro = run.results.micro, run.results.macro
    assert micro is not None
    assert macro is not None
    assert sum(line["evaluation"]["is_correct"] for line in lines) == micro.right
    assert results["egocross/micro"]["score"] == micro.accuracy
    assert results["egocross/micro"]["uncertainty"]["confidence_interval"]["lower"] == micro.low
    assert results["egocross/macro"]["score"] == macro.accuracy
    assert {f"egocross/{part}" for part in run.results.groups["domain"]} < set(results)
    said = {line["sample_id"]: line["answer_attribution"][0] for line in lines}
    assert {key: one["extracted_value"] for key, one in said.items()} == {
        sample.key: sample.grade.prediction for sample in run.samples
    }
    assert {one["extraction_method"] for one in said.values()} == {sample.decision.rule for sample in run.samples}


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("every-eval-ever", "'organization' is missing: type organization=NAME"),
        ("every-eval-ever,organization=Us", "who made baseline:longest isn't known: give its id by model="),
        ("every-eval-ever,organization=Us,relationship=friend", "first_party, third_party, collaborative or other"),
        ("every-eval-ever,organization=Us,model=../../etc", "form every-eval-ever"),
    ],
)
def test_what_it_needs_is_asked_for(run: Run, tmp_path: Path, form: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        export_run(run.path, form, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
