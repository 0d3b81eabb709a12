"""`results.json`, which others may have made, is believed only as far as it fits the samples beside it."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import egocross_eval
from egocross_eval import UsageError, evaluate, load_run
from egocross_eval.leaderboard.believed import is_finished
from egocross_eval.runs.store import RunFolder
from egocross_eval.sweeps.expected import basis_of
from egocross_eval.training.experiment_report import Asked, spread_table

PACKAGE = Path(egocross_eval.__file__).parent


@pytest.fixture
def run(demo: Path, tmp_path: Path) -> Path:
    return evaluate("baseline:longest", data=demo, output=tmp_path / "run", limit=8, cache=False).path


def forge(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes `results.json` and keeps all its hashes."""
    content = json.loads((run / "results.json").read_text())
    change(content)
    (run / "results.json").write_text(json.dumps(content))


def all_right(content: dict[str, Any]) -> None:
    content["micro"].update(right=8, wrong=0, accuracy=1.0, high=1.0)


FORGERIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "the outcomes don't give the accuracy of micro": lambda content: content["micro"].update(accuracy=1.0, high=1.0),
    "the groups' wrong answers are more than those of micro": all_right,
    "it is called complete, and not all questions are answered": lambda content: (
        content.update(micro=None, macro=None, groups={}, outcomes={}),
        content["counts"].update(missing=3),
    ),
    "its tokens or seconds are impossible": lambda content: content["tokens"].update(input=-5),
    "question_type .*: the counts don't add up": lambda content: next(
        iter(content["groups"]["question_type"].values())
    ).update(right=9),
}


def test_one_module_alone_reads_results() -> None:
    """`RunFolder.results` reads the file as it stands: whoever else calls it believes what others wrote."""
    reading = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "results"
    }
    assert reading == {"leaderboard/believed.py"}


@pytest.mark.parametrize("said", FORGERIES)
def test_results_that_cannot_be_are_refused_by_all_who_read_them(said: str, run: Path) -> None:
    forge(run, FORGERIES[said])
    asked = [Asked(folder=run, domain="", repeat=None)]
    readers: list[Callable[[], object]] = [
        lambda: load_run(run).results,
        lambda: is_finished(RunFolder(run)),
        lambda: basis_of([run]),
        lambda: spread_table(asked),
    ]
    for read in readers:
        with pytest.raises(UsageError, match=f"run: its results can't be: .*{said}.*egocross-eval score"):
            read()


def test_a_run_of_other_samples_is_no_finished_one_whatever_its_results_say(run: Path) -> None:
    lines = (run / "samples.jsonl").read_text().splitlines(keepends=True)
    assert is_finished(RunFolder(run))
    (run / "samples.jsonl").write_text("".join(lines[:-1]))
    with pytest.warns(UserWarning, match="of other samples than are there"):
        assert not is_finished(RunFolder(run))


def test_a_run_that_is_gone_on_with_has_its_results_found_anew_where_they_cannot_be(run: Path, demo: Path) -> None:
    honest = load_run(run).results
    forge(run, all_right)
    again = evaluate("baseline:longest", data=demo, output=run, limit=8, cache=False)
    assert again.results == honest


def test_intervals_of_an_earlier_version_are_found_anew_and_written_when_the_run_is_gone_on_with(
    run: Path, demo: Path
) -> None:
    honest = load_run(run).results
    forge(run, lambda content: content["micro"].update(low=0.0, high=1.0))
    assert load_run(run).results == honest
    assert '"low":0.0,"high":1.0' in (run / "results.json").read_text().replace(" ", "").replace("\n", "")
    evaluate("baseline:longest", data=demo, output=run, limit=8, cache=False)
    assert RunFolder(run).results() == honest
