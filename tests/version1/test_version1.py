"""Files that version 0.1 wrote are read, scored, compared, ranked and gone on with."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval import (
    Capabilities,
    ModelAdapter,
    Request,
    Response,
    Run,
    RunKeywords,
    UsageError,
    evaluate,
    load_run,
)
from egocross_eval.cli.main import main
from egocross_eval.leaderboard.collect import rows_from
from egocross_eval.leaderboard.rows import read_row_file
from egocross_eval.methods.rotate import places_moved
from egocross_eval.runs import version1
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import SCHEMA_VERSION
from egocross_eval.training.card import read_card

FILES = Path(__file__).parent
RUNS = ("once", "choose", "rotate", "sample", "unfinished", "unfinished-rotate")
COMMON: RunKeywords = {"split": "demo", "frames": "uniform:2", "cache": False, "limit": 6}


class Model(ModelAdapter):
    """Stands for the model that made the files, as far as a run looks at it; always says A."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def capabilities(self) -> Capabilities:
        return Capabilities(needs_content=False, scores=True)

    def fingerprint(self) -> str:
        return "fake-1"

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            self.asked.append(request.key)
            yield Response(key=request.key, text="A")


def test_an_answer_that_a_filter_withheld_is_filtered() -> None:
    old = json.loads((FILES / "once" / "samples.jsonl").read_bytes().splitlines()[0])
    failure = {"kind": "content_filter", "message": "withheld"}
    old |= {"response": {"key": old["key"], "failure": failure}, "outcome": "errored"}
    read = version1.sample(json.dumps(old).encode())
    assert (read.outcome, read.answers[0].response.filtered, read.grade.reason) == ("filtered", True, "filtered")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A copy that may be written to."""
    return Path(shutil.copytree(FILES, tmp_path / "runs"))


@pytest.fixture
def new_run(demo: Path, tmp_path: Path) -> Run:
    """A run of today over the questions of `once`."""
    keywords: RunKeywords = {**COMMON, "data": demo}
    return evaluate(Model(), output=tmp_path / "new", **keywords)


def call(*arguments: str | Path) -> int:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def shares(run: Run) -> dict[str, tuple[float, int]]:
    """Accuracy and n by group; intervals are made otherwise now."""
    groups = run.results.groups
    return {
        name: (figure.accuracy, figure.n) for group in ("domain", "category") for name, figure in groups[group].items()
    }


def versions_of_lines(folder: Path) -> list[int]:
    lines = (folder / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    return [1 if "prediction" in json.loads(line) else 2 for line in lines]


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_read_with_its_samples_and_results(name: str) -> None:
    run = load_run(FILES / name)
    samples, counts = run.samples, run.results.counts
    assert run.record.benchmark.name == "egocross"
    assert run.record.schema_version == SCHEMA_VERSION
    assert run.record.settings.prompt.frames == "uniform:2"
    assert len(samples) == counts["total"] - counts["missing"]
    for outcome in ("right", "wrong", "not_parsed", "errored"):
        assert sum(sample.outcome == outcome for sample in samples) == counts[outcome]
    for sample in samples:
        assert sample.question.target in sample.question.options
        assert sample.question.label("domain")
        assert (sample.grade.prediction is None) == (sample.outcome in ("not_parsed", "errored"))


@pytest.mark.parametrize("name", ["once", "unfinished"])
def test_what_is_read_is_what_was_written(name: str) -> None:
    for line, sample in zip(
        (FILES / name / "samples.jsonl").read_text(encoding="utf-8").splitlines(),
        load_run(FILES / name).samples,
        strict=True,
    ):
        old = json.loads(line)
        (answer,) = sample.answers
        assert sample.key == old["key"]
        assert answer.response.text == old["response"].get("text")
        assert answer.reading.label == sample.decision.label == old["prediction"].get("letter")
        assert sample.question.text == old["question"]["text"]
        assert sample.question.references["answer_text"] == old["question"]["answer_text"]
        assert [frame.name for frame in answer.sent.frames] == [frame["name"] for frame in old["sent"]["frames"]]


def test_votes_are_the_answers_to_asks_of_their_own() -> None:
    for sample in load_run(FILES / "rotate").samples:
        assert [places_moved(answer) for answer in sample.answers] == [0, 1, 2, 3]
        shown = [list((answer.ask.options or {}).values()) for answer in sample.answers]
        texts = list(sample.question.options.values())
        assert shown == [texts[places:] + texts[:places] for places in range(4)]
    assert [answer.ask.seed for answer in load_run(FILES / "sample").samples[0].answers] == [0, 1, 2]


def test_ten_samples_and_more_are_read_in_the_order_asked() -> None:
    line = (FILES / "sample" / "samples.jsonl").read_text(encoding="utf-8").splitlines()[0]
    old = json.loads(line)
    one = old["votes"][0]
    # As 0.1 ordered them: by their names' letters.
    names = sorted(f"s{number}" for number in range(12))
    old["votes"] = [one | {"key": f"{old['key']}#{name}"} for name in names]
    answers = version1.sample(json.dumps(old).encode()).answers
    assert [answer.ask.name for answer in answers] == [f"s{number}" for number in range(12)]


def test_scores_of_choosing_are_the_evidence_of_the_decision() -> None:
    for sample in load_run(FILES / "choose").samples:
        scores = sample.decision.scores
        assert sample.decision.label == max(scores, key=lambda letter: scores[letter])


def test_a_letter_beside_a_failure_is_no_prediction(runs: Path) -> None:
    path = runs / "unfinished" / "samples.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        if line["outcome"] == "errored":
            line["prediction"] = {"letter": line["question"]["answer"], "rule": "bare"}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (errored,) = [sample for sample in load_run(runs / "unfinished").samples if sample.outcome == "errored"]
    assert errored.decision.label is None
    assert errored.grade.prediction is None
    assert errored.grade.credit == 0
    assert errored.answers[0].reading.label is None


@pytest.mark.parametrize("name", RUNS)
def test_scoring_again_keeps_the_figures_and_the_folder_readable(
    runs: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = load_run(runs / name)
    counts, outcomes = shares(before), [sample.outcome for sample in before.samples]
    code = int(name.startswith("unfinished"))  # what is open is said by the exit code
    assert call("score", runs / name) == code
    after = load_run(runs / name)
    assert [sample.outcome for sample in after.samples] == outcomes
    assert shares(after) == counts
    # Votes carry the rule that read them now: those samples are written anew, once.
    capsys.readouterr()
    assert call("score", runs / name) == code
    assert "0 samples changed" in capsys.readouterr().err
    assert set(versions_of_lines(runs / name)) == ({1, 2} if name in ("rotate", "sample", "unfinished-rotate") else {1})


def test_a_run_of_each_version_over_the_same_questions_is_compared(
    runs: Path, new_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("compare", runs / "once", new_run.path) == 0
    text = capsys.readouterr().out
    assert "of 6 questions" in text.lower()
    assert "left out" not in text
    assert "sent differently" not in text


def test_runs_of_both_versions_stand_in_one_ranked_table(
    runs: Path, new_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("leaderboard", runs / "once", new_run.path, "--no-published", "--no-join") == 0
    text = capsys.readouterr().out
    assert text.count("demo, 6 questions") == 1
    assert all(f"[{name}]" in text for name in ("once", "new"))
    old, new = rows_from([runs / "once", new_run.path])
    assert (old.questions_hash, old.answers_hash) == (new.questions_hash, new.answers_hash)


def test_answers_are_looked_at(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("view", runs / "once") == 0
    assert "The answer is A." in capsys.readouterr().out


def test_exported_rows_are_read_and_can_be_exported_again(tmp_path: Path) -> None:
    rows = read_row_file(FILES / "rows.json")
    own = [row for row in rows if not row.published]
    assert {row.source for row in own} == {"once", "rotate"}
    assert all(set(row.parts) == {"animal", "industry", "xsports", "surgery"} for row in own)
    again = tmp_path / "again.json"
    assert call("leaderboard", FILES / "rows.json", "--no-published", "--format", "json", "--output", again) == 0
    assert {row.source for row in read_row_file(again)} == {row.source for row in own}


@pytest.mark.parametrize(
    ("name", "keywords", "asked_again"),
    [
        ("unfinished", RunKeywords(), 1 + 2),
        # One rotation of the first question, all four of those that were not asked.
        ("unfinished-rotate", RunKeywords(method="rotate", limit=4), 1 + 2 * 4),
    ],
)
def test_an_unfinished_run_goes_on(runs: Path, demo: Path, name: str, keywords: RunKeywords, asked_again: int) -> None:
    model = Model()
    merged: RunKeywords = {**COMMON, **keywords, "data": demo}
    run = evaluate(model, output=runs / name, **merged)
    assert len(model.asked) == asked_again
    assert run.results.complete
    assert set(versions_of_lines(runs / name)) == {1, 2}


def test_other_settings_are_refused_with_the_difference(runs: Path, demo: Path) -> None:
    with pytest.raises(UsageError, match=r"(?s)made with other settings.*frames: 'uniform:2' there, 'all' now"):
        evaluate(Model(), data=demo, split="demo", output=runs / "unfinished", limit=6, cache=False)


@pytest.mark.parametrize("rows", [None, [1], [{"row": "x"}], [{"row": {"model": "m"}}], [{}], {"row": 1}])
def test_rows_of_another_form_are_refused_by_the_name_of_their_file(rows: object, tmp_path: Path) -> None:
    head = json.loads((FILES / "rows.json").read_text(encoding="utf-8"))
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(head | {"rows": rows}), encoding="utf-8")
    with pytest.raises(UsageError, match=r"rows\.json: its rows are not of the form that version 0\.1 wrote"):
        read_row_file(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything within a JSON value."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from places_in(inner, (*path, key))


@pytest.mark.parametrize("name", ["once", "rotate"])
@given(data=st.data())
def test_a_damaged_line_is_left_out_with_a_warning_that_names_it(
    name: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    line = json.loads((FILES / name / "samples.jsonl").read_text(encoding="utf-8").splitlines()[0])
    *path, last = data.draw(st.sampled_from([place for place in places_in(line) if place]))
    owner = line
    for key in path:
        owner = owner[key]
    owner[last] = data.draw(JSON)
    folder = tmp_path_factory.getbasetemp() / f"damaged-{name}"
    folder.mkdir(exist_ok=True)
    (folder / "samples.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        samples = RunFolder(folder).samples()
    assert len(samples) + len(said) == 1
    assert all("samples.jsonl, line 1" in str(warning.message) for warning in said)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"key": "k", "question": {"id": 1}, "x": ' + "[" * 100_000])
def test_a_line_that_is_nested_without_end_is_left_out(content: str, tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_text(content + "\n", encoding="utf-8")
    with pytest.warns(UserWarning, match=r"samples\.jsonl, line 1"):
        assert RunFolder(tmp_path).samples() == []


def test_a_training_card_is_read() -> None:
    card = read_card(FILES / "trained")
    assert card is not None
    assert card.recipe == "tiny"
