"""Whose log a file is stands in it, not in its name."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import test_damaged_logs as damaged
from calling import call
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval import EgoCrossError, UsageError, evaluate, export_run
from egocross_eval.contracts.registry import registry
from egocross_eval.interop.importing.glimpse import glimpse
from egocross_eval.interop.importing.runs import choose_importer, import_run

LOGS = Path(__file__).parent / "logs"

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def told(path: Path) -> str:
    """The tool that is told from a file or folder."""
    return choose_importer(path, "auto", registry()).name


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        told(path)
    return str(caught.value)


@pytest.mark.parametrize("tool", damaged.TOOLS)
@pytest.mark.parametrize("name", ["mine.json", "mine", "mine.txt", "results_predictions.tsv"])
def test_a_log_is_known_under_any_name(tool: str, name: str, tmp_path: Path) -> None:
    make, write = damaged.TOOLS[tool]
    log = write(tmp_path, make())
    assert told(log) == tool
    log.rename(tmp_path / name)
    assert told(tmp_path / name) == tool


@pytest.mark.parametrize("tool", ["inspect", "vlmevalkit", "predictions"])
def test_a_log_of_one_file_is_read_under_any_name(tool: str, tmp_path: Path) -> None:
    make, write = damaged.TOOLS[tool]
    log = write(tmp_path, make()).rename(tmp_path / "mine.bin")
    read = registry().importer(tool).read(log)
    assert [answer.text for answer in read.answers] == [damaged.said(question) for question in damaged.QUESTIONS]


def rewritten(name: str, content: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_text(content)
        return folder / name

    return write


@pytest.mark.parametrize(
    ("write", "tool"),
    [
        (rewritten("x", "index\tprediction\n1\tA\n"), "vlmevalkit"),
        (rewritten("x", '"index","prediction"\n1,A\n'), "vlmevalkit"),
        (rewritten("x", '{"index": 1, "prediction": "A"}\n{"index": 2, "prediction": "B"}\n'), "vlmevalkit"),
        (rewritten("x", '{"index": 1, "prediction": "A"}\n'), "vlmevalkit"),
        (rewritten("x", '{"index": "A", "question_id": "q", "answer": "B", "prediction": "A"}'), "vlmevalkit"),
        (rewritten("x", '[{"index": 1, "question_id": "q", "answer": "B", "prediction": "A"}]'), "vlmevalkit"),
        (rewritten("x", '[{"id": 1, "answer": "A"}]'), "predictions"),
        (rewritten("x", '[{"question_id": "q", "prediction": "words", "mark": 4}]'), "predictions"),
        (rewritten("x", '\ufeff{"q1": "A", "q2": null}'), "predictions"),
        (rewritten("x", '{"q1": {"answer": "A"}}'), "predictions"),
        (rewritten("x", '{"lm_eval_version": "0.4.9", "configs": {}, "results": {"a": NaN}}'), "lm-eval"),
        (rewritten("x", '{"doc_id": 1, "doc": {}, "filtered_resps": ["A"]}\n{}\n'), "lm-eval"),
        (rewritten("x", '{"doc_id": 1, "doc": {}, "filtered_resps": ["A"]}\n'), "lm-eval"),
        (rewritten("x", '{"config": {}, "configs": {}, "pretty_env_info": "x", "results": {}}'), "lm-eval"),
        (rewritten("x", '{"config": {}, "configs": {}}'), "lmms-eval"),
        (rewritten("x", '{"config": {}, "configs": {}, "pretty_env_info": "", "lmms_eval_version": ""}'), "lmms-eval"),
        (rewritten("x", '{"doc_id": 1, "filtered_resps": ["A"], "x": 1}\n'), "lmms-eval"),
        (rewritten("x", '{"doc_id": 1, "filtered_resps": ["A"], "x": 1}\n{"doc_id": 2}\n'), "lmms-eval"),
        (rewritten("x", '{"version": 2, "status": "success", "eval": {}, "samples": []}'), "inspect"),
    ],
)
def test_fields_and_columns_say_whose_log_it_is(write: Callable[[Path], Path], tool: str, tmp_path: Path) -> None:
    assert told(write(tmp_path)) == tool


@pytest.mark.parametrize(
    "write",
    [
        rewritten("predictions.json", '[{"what": 1}]'),
        rewritten("results_1.json", '{"accuracy": {"a": 1}}'),
        rewritten("a_results.json", "[1, 2]"),
        rewritten("samples_1.jsonl", '{"a": 1}\n{"a": 2}\n'),
        rewritten("log.json", '{"version": 2, "samples": {}}'),
        rewritten("x.tsv", "index\tanswer\n1\tA\n"),
        rewritten("x.json", "[]"),
        rewritten("x.json", "{}"),
        rewritten("x", ""),
    ],
)
def test_a_name_alone_makes_no_log(write: Callable[[Path], Path], tmp_path: Path) -> None:
    assert "isn't recognised: name its tool by --from" in refused(write(tmp_path))


def archive(path: Path, *members: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for member in members:
            file.writestr(member, "[]")
    return path


def test_an_archive_is_what_its_members_say(tmp_path: Path) -> None:
    assert told(archive(tmp_path / "a.eval", "predictions.json")) == "predictions"
    assert told(archive(tmp_path / "b.bin", "predictions.json")) == "predictions"
    assert told(archive(tmp_path / "c.zip", "header.json", "samples/1_epoch_1.json")) == "inspect"
    assert told(archive(tmp_path / "unfinished.zip", "_journal/start.json")) == "inspect"
    assert told(archive(tmp_path / "d.zip", "xl/workbook.xml")) == "vlmevalkit"
    assert "isn't recognised" in refused(archive(tmp_path / "e.zip", "photo.jpg"))


@pytest.mark.parametrize(("name", "tool"), [("x.zip", "predictions"), ("x.eval", "inspect"), ("x.xlsx", "vlmevalkit")])
def test_a_damaged_archive_is_still_said_to_be_damaged(name: str, tool: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 cut off")
    assert told(tmp_path / name) == tool
    with pytest.raises(EgoCrossError, match=r"is no whole archive|make it again|is no workbook"):
        registry().importer(tool).read(tmp_path / name)


def test_what_is_no_regular_file_is_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    assert glimpse(tmp_path / "pipe.json").kind == glimpse(tmp_path / "absent").kind == glimpse(tmp_path).kind == ""
    assert "isn't recognised" in refused(tmp_path / "pipe.json")


@pytest.mark.hypothesis
@given(st.one_of(st.binary(max_size=60), st.sampled_from([b"PK\x03\x04", b"{", b"[", b"[{"]).flatmap(
    lambda start: st.binary(max_size=40).map(lambda rest: start + rest))))  # fmt: skip
def test_any_bytes_are_glimpsed_at(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.write_bytes(content)
    for importer in registry().importers.values():
        assert importer.recognises(path) in (True, False)


def test_a_folder_with_a_log_of_inspect_is_that_log(demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    shutil.copy(LOGS / "inspect.eval", folder / "2026_egocross_1.eval")
    (folder / "listing.json").write_text('{"files": []}')
    assert told(folder) == "inspect"
    assert len(registry().importer("inspect").read(folder).answers) == 8
    shutil.copy(LOGS / "inspect.json", folder / "2026_egocross_2.json")
    with pytest.raises(EgoCrossError, match=r"must hold one log of Inspect, and holds 2: name one, e\.g\. .*_2\.json"):
        registry().importer("inspect").read(folder)
    with pytest.raises(EgoCrossError, match="must hold one log of Inspect, and holds 0"):
        registry().importer("inspect").read(demo)


def test_a_run_folder_is_no_log_whatever_was_exported_into_it(demo: Path, tmp_path: Path) -> None:
    run = evaluate("baseline:longest", data=demo, split="demo", output=tmp_path / "run")
    with pytest.raises(UsageError, match=r"run is a run folder already: 'egocross-eval view .*run' shows it"):
        import_run(run.path, tmp_path / "again")
    export_run(run.path, "lm-eval")
    with pytest.raises(UsageError, match="is a run folder already"):
        import_run(run.path, tmp_path / "again")
    assert told(run.path / "lm-eval") == "lm-eval"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text('{"tool": "another"}')
    with pytest.raises(UsageError, match="isn't recognised"):
        import_run(tmp_path / "other", tmp_path / "again")


def test_predictions_without_any_answer_are_refused(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "template.json").write_text('[{"id": 1, "answer": ""}, {"id": 2, "answer": null}]')
    with pytest.raises(UsageError, match=r"template\.json: none of its 2 entries has an answer"):
        registry().importer("predictions").read(tmp_path / "template.json")


def test_empty_answers_are_not_counted_as_answers(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = evaluate("baseline:longest", data=demo, split="demo", output=tmp_path / "run")
    entries = json.loads((run.path / "predictions.json").read_text())
    for entry in entries[:30]:
        entry["answer"] = " "
    (tmp_path / "mine.json").write_text(json.dumps(entries))
    words: list[str | Path] = ["--data", demo, "--split", "demo", "--output"]
    assert call("import", tmp_path / "mine.json", *words, tmp_path / "one") == 0
    said = capsys.readouterr()
    assert "70 of 100 questions have an answer in this log of predictions" in said.out
    assert "questions whose answer there is an empty text: 30" in said.err
    assert call("import", tmp_path / "mine.json", *words, tmp_path / "two", "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["joined"], document["empty"]) == (100, 30)


@pytest.mark.parametrize("tool", ["lm-eval", "lmms-eval", "vlmevalkit"])
def test_a_log_of_one_answer_is_read(tool: str, tmp_path: Path) -> None:
    make, write = damaged.TOOLS[tool]
    log = write(tmp_path, make()[:1])
    lines = next(tmp_path.glob("*.jsonl"), log)
    lines.write_text(lines.read_text().strip("[]"))
    assert told(lines) == tool
    assert [answer.text for answer in registry().importer(tool).read(lines).answers] == [
        damaged.said(damaged.QUESTIONS[0])
    ]


def test_a_log_of_lm_eval_that_says_no_version_is_refused_as_one(tmp_path: Path) -> None:
    log = tmp_path / "results_2024-05-01T00-00-00.json"
    log.write_text('{"results": {}, "configs": {"mine": {}}, "config": {"model": "hf"}, "pretty_env_info": "x"}')
    with pytest.raises(EgoCrossError, match=r"no 'lm_eval_version': .* early version .* known: 0\.4\.\*"):
        registry().importer(told(log)).read(log)
