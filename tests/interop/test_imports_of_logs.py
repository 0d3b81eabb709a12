"""Logs of other tools become runs, and what isn't one is refused by name. `logs/` was written by inspect-ai 0.3.285;
the files of lm-eval and VLMEvalKit are written here in the forms that their code writes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from calling import call

from egocross_eval import DataOptions, EgoCrossError, Question, Run, UsageError, evaluate, load_run
from egocross_eval.contracts.registry import registry
from egocross_eval.interop.importing.runs import Import, ImportOptions, choose_importer, import_run
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import plan_run

LOGS = Path(__file__).parent / "logs"

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def questions(demo: Path) -> Sequence[Question]:
    return plan_run(options_from(data=demo, split="demo"), registry()).questions


@pytest.fixture
def imported(demo: Path, tmp_path: Path) -> Callable[..., Import]:
    def imported(log: Path, **keywords: Any) -> Import:
        data = DataOptions(data=demo, split="demo")
        return import_run(log, tmp_path / "imported", ImportOptions(data=data, **keywords))

    return imported


def lm_eval(folder: Path, questions: Sequence[Question], *, named: bool = True, version: str = "0.4.12") -> Path:
    """Files as lm-eval writes them, of a model that always says the right letter with a dot."""
    folder.mkdir()
    results = {"results": {"mine": {"acc,none": 1.0}}, "configs": {"mine": {}}, "model_name": "org/name"}
    results |= {
        "lm_eval_version": version,
        "date": 1764000000.0,
        "config": {"model": "hf", "model_args": "pretrained=x"},
    }
    (folder / "results_2026-11-25T10-00-00.000000.json").write_text(json.dumps(results))
    lines = [
        {"doc_id": number, "doc": {"question_id": question.key} if named else {}, "target": question.target}
        | {"resps": [[f"{question.target}."]], "filtered_resps": [question.target], "exact_match": 1.0}
        for number, question in enumerate(questions)
    ]
    log = folder / "samples_mine_2026-11-25T10-00-00.000000.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def vlmevalkit(path: Path, questions: Sequence[Question]) -> Path:
    """A table as VLMEvalKit writes it, the last answer failed."""
    rows: list[dict[str, Any]] = [
        {"index": question.id, "question_id": question.key, "question": question.text, "answer": question.target}
        | {"prediction": f"The answer is {question.target}", "hit": 1}
        for question in questions
    ]
    rows[-1] |= {"prediction": "Failed to obtain answer via API.", "hit": 0}
    if path.suffix == ".json":
        path.write_text(json.dumps(rows, indent=4))
    elif path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in [list(rows[0]), *(list(row.values()) for row in rows)]:
            book.active.append(row)
        book.save(path)
    else:
        lines = [list(rows[0]), *(list(row.values()) for row in rows)]
        path.write_text("".join("\t".join(f'"{cell}"' for cell in line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize("name", ["inspect.eval", "inspect.json"])
def test_a_log_of_inspect_is_a_run(imported: Callable[..., Import], name: str) -> None:
    done = imported(LOGS / name)
    assert done.tool == "inspect"
    assert (done.run.results.counts["missing"], done.run.results.counts["errored"]) == (92, 1)
    assert not done.run.results.complete
    (failed,) = [sample for sample in done.run.samples if sample.failure is not None]
    assert failed.failure is not None
    assert failed.failure.message == "timed out"
    answer = done.run.samples[0].answers[0]
    assert answer.theirs is not None
    assert (answer.theirs.label, answer.theirs.rule) == (answer.reading.label, "inspect")
    assert (answer.response.input_tokens, answer.response.output_tokens) == (100, 3)
    assert done.comparison.same == 7
    assert done.comparison.other == done.comparison.scored_otherwise == ()
    record = done.run.record
    assert record.imported is not None
    assert (record.imported.tool, record.imported.version) == ("inspect", "0.3.285")
    assert list(record.imported.files) == [name]


def test_a_log_of_lm_eval_is_a_run(
    imported: Callable[..., Import], tmp_path: Path, questions: Sequence[Question]
) -> None:
    done = imported(lm_eval(tmp_path / "logs", questions))
    assert done.tool == "lm-eval"
    assert done.run.record.imported is not None
    assert done.run.record.imported.date == "2025-11-24T16:00:00+00:00"
    assert done.run.results.counts["right"] == len(questions)
    assert done.run.results.complete
    assert done.comparison.same == len(questions)


def test_a_log_without_names_is_joined_by_order_where_the_user_says_so(
    imported: Callable[..., Import], tmp_path: Path, questions: Sequence[Question]
) -> None:
    log = lm_eval(tmp_path / "logs", questions, named=False)
    with pytest.raises(UsageError, match=r"pass --map FILE.*mine/0.*--in-order"):
        imported(log)
    assert imported(log, in_order=True).run.results.counts["right"] == len(questions)


@pytest.mark.parametrize("suffix", ["tsv", "json", "xlsx"])
def test_a_table_of_vlmevalkit_is_a_run(
    imported: Callable[..., Import], tmp_path: Path, questions: Sequence[Question], suffix: str
) -> None:
    done = imported(vlmevalkit(tmp_path / f"Qwen_Mine.{suffix}", questions))
    assert done.tool == "vlmevalkit"
    assert done.run.record.model.name == "vlmevalkit:Qwen_Mine"
    counts = done.run.results.counts
    assert (counts["right"], counts["errored"]) == (len(questions) - 1, 1)


def test_our_own_predictions_make_the_same_figures_again(
    imported: Callable[..., Import], demo: Path, tmp_path: Path
) -> None:
    run = evaluate("baseline:longest", data=demo, split="demo", output=tmp_path / "run")
    again = imported(run.path / "predictions.json").run
    assert again.results.counts == run.results.counts
    assert again.results.micro == run.results.micro
    assert again.results.groups == run.results.groups


def test_predictions_with_the_id_of_another_question_are_left_out_by_name(
    imported: Callable[..., Import], demo: Path, tmp_path: Path
) -> None:
    run = evaluate("baseline:longest", data=demo, split="demo", output=tmp_path / "run")
    path = run.path / "predictions.json"
    entries = json.loads(path.read_text())
    for entry, other in ((entries[0], entries[1]), (entries[5], entries[9])):
        entry["id"] = other["id"]
    path.write_text(json.dumps(entries))
    done = imported(path)
    assert done.joined.mismatched == (entries[0]["question_id"], entries[5]["question_id"])
    assert len(done.joined.answers) == len(entries) - 2
    assert not done.is_complete
    path.write_text(json.dumps([entry | {"id": 10**6} for entry in entries]))
    with pytest.raises(UsageError, match=f"none of its answers.*; answers with the id of .* left out: {len(entries)}"):
        imported(path)


def test_readings_that_differ_are_shown_and_kept(
    imported: Callable[..., Import], tmp_path: Path, questions: Sequence[Question]
) -> None:
    folder = lm_eval(tmp_path / "logs", questions)
    (log,) = folder.glob("samples_*")
    first, *rest = log.read_text().splitlines()
    line = json.loads(first) | {"resps": [["It can be A or B."]], "filtered_resps": ["A"], "exact_match": 1.0}
    log.write_text("\n".join([json.dumps(line), *rest]) + "\n")
    done = imported(folder)
    key = questions[0].key
    assert done.comparison.other == (f"{key}: A there, nothing here",)
    assert done.comparison.scored_otherwise == (f"{key}: 1 there, not_parsed here",)
    (kept,) = [sample for sample in done.run.samples if sample.key == key]
    assert kept.answers[0].theirs is not None
    assert kept.answers[0].theirs.label == "A"


def test_an_incomplete_import_has_no_rank_and_exits_with_1(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words: list[str | Path] = ["--data", demo, "--split", "demo", "--output", tmp_path / "run"]
    assert call("import", LOGS / "inspect.eval", *words) == 1
    said = capsys.readouterr()
    assert "| – | inspect:mockllm/model |" in " ".join(said.out.split())
    assert "7 of 100 questions have an answer" in said.out
    assert "questions that failed there: 1 (1 errored)" in said.err
    assert "questions without an answer: 92" in " ".join(said.err.split())
    assert call("score", tmp_path / "run") == 1
    assert call("leaderboard", tmp_path / "run", "--output", tmp_path / "board.md") == 0
    assert "asked by inspect" in (tmp_path / "board.md").read_text()


def test_the_tools_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("import") == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed[:5] == ["lmms-eval", "inspect", "vlmevalkit", "lm-eval", "predictions"]


def test_a_run_folder_is_not_overwritten(imported: Callable[..., Import]) -> None:
    first = imported(LOGS / "inspect.eval").run
    before = first.path.joinpath("samples.jsonl").read_bytes()
    with pytest.raises(UsageError, match="is not empty; choose another --output"):
        imported(LOGS / "inspect.eval")
    assert first.path.joinpath("samples.jsonl").read_bytes() == before


def damaged(path: Path, tmp_path: Path, place: int) -> Path:
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    target = tmp_path / path.name
    target.write_bytes(bytes(content))
    return target


def member(path: Path, name: str) -> int:
    """Offset of the compressed data of an archive's member."""
    with zipfile.ZipFile(path) as archive:
        info = next(info for info in archive.infolist() if info.filename.startswith(name))
    return info.header_offset + 30 + len(info.filename) + 40


def test_a_damaged_sample_is_named(imported: Callable[..., Import], tmp_path: Path) -> None:
    log = damaged(LOGS / "inspect.eval", tmp_path, member(LOGS / "inspect.eval", "samples/"))
    with pytest.raises(EgoCrossError, match=r"inspect\.eval, samples/.* (is damaged|is no valid JSON)"):
        imported(log)


def test_a_cut_off_archive_is_named(imported: Callable[..., Import], tmp_path: Path) -> None:
    (tmp_path / "cut.eval").write_bytes((LOGS / "inspect.eval").read_bytes()[:4000])
    with pytest.raises(EgoCrossError, match=r"cut\.eval is no whole archive"):
        imported(tmp_path / "cut.eval")


def test_a_form_that_is_not_known_is_named_with_those_that_are(imported: Callable[..., Import], tmp_path: Path) -> None:
    content = json.loads((LOGS / "inspect.json").read_text())
    (tmp_path / "new.json").write_text(json.dumps(content | {"version": 3}, indent=2))
    with pytest.raises(EgoCrossError, match=r"new\.json: version 3 of Inspect's logs isn't known here; known: 2"):
        imported(tmp_path / "new.json", tool="inspect")


@pytest.mark.parametrize(
    ("tool", "name", "content", "message"),
    [
        (
            "lmms-eval",
            "1_results.json",
            '{"results": {}}',
            r"1_results\.json has no 'config': .*known: that of lmms-eval 0\.7\.\*",
        ),
        ("lmms-eval", "1_results.json", "[]", r"1_results\.json: .*is a list, not a mapping"),
        ("lmms-eval", "1_results.json", '{"config": {}, "configs": {"t": {}}}', r"1_samples_t\.jsonl isn't beside it"),
        ("lm-eval", "results_1.json", '{"configs": {}}', r"results_1\.json has no 'lm_eval_version'"),
        ("vlmevalkit", "a_b.tsv", "index\tquestion\n1\tx\n", "has no column 'prediction'"),
        ("vlmevalkit", "a_b.xlsx", "no workbook", "is no workbook"),
        ("predictions", "predictions.json", '[{"id": 1}]', "has no 'answer'"),
        ("inspect", "log.json", '{"version": 2}', "has no 'samples'"),
        ("inspect", "log.eval", "no archive", "is no whole archive"),
        (
            "inspect",
            "log.json",
            '{"version": 1, "samples": []}',
            "version 1 of Inspect's logs isn't known here; known: 2",
        ),
        (
            "lm-eval",
            "results_1.json",
            '{"lm_eval_version": "0.3.0", "configs": {}}',
            r"results_1\.json: logs of lm-eval '0\.3\.0' aren't known here; known: 0\.4\.\*",
        ),
        ("vlmevalkit", "a_b.tsv", "index\tprediction\n1\n", "row 1 has other cells than the 2 columns"),
        ("vlmevalkit", "a_b.tsv", "index\tprediction\n1\tA\tB\n", "row 1 has other cells than the 2 columns"),
        ("vlmevalkit", "a_b.tsv", 'index\tprediction\n1\t"A is', r"a_b\.tsv, line \d: unexpected end of data"),
        ("vlmevalkit", "a_b.tsv", "index\tprediction\tprediction\n1\tA\tB\n", "has the column 'prediction' twice"),
        ("vlmevalkit", "a.json", '[{"index": 1, "prediction": "A"}, {"index": 2}]', "row 2 has no 'prediction'"),
        ("nonsense", "log.eval", "", "unknown importer 'nonsense'"),
    ],
)
def test_what_is_no_such_log_is_refused_by_name(
    imported: Callable[..., Import], tmp_path: Path, tool: str, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(EgoCrossError, match=message):
        imported(tmp_path / name, tool=tool)
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize(
    "line", ["{", '{"doc_id": "x"}', '{"doc_id": 1}', '{"doc_id": 1, "filtered_resps": ["A", "B"]}']
)
def test_a_broken_line_of_a_sample_log_is_named(imported: Callable[..., Import], tmp_path: Path, line: str) -> None:
    (tmp_path / "1_results.json").write_text('{"config": {}, "configs": {"t": {}}}')
    good = '{"doc_id": 0, "filtered_resps": ["A"]}'
    (tmp_path / "1_samples_t.jsonl").write_text(f"{good}\n{line}\n")
    with pytest.raises(EgoCrossError, match=r"1_samples_t\.jsonl, line 2"):
        imported(tmp_path / "1_results.json")


def test_an_unrecognised_file_asks_for_its_tool(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_text("")
    with pytest.raises(UsageError, match="isn't recognised: name its tool by --from, one of lmms-eval, inspect"):
        choose_importer(tmp_path / "x.bin", "auto", registry())


def test_answers_to_other_questions_are_refused(imported: Callable[..., Import], tmp_path: Path) -> None:
    others = [Question(id=1, key="elsewhere", text="?", target="A", options={"A": "x"})]
    with pytest.raises(UsageError, match=r"none of its answers \(1\) is to one of the questions here"):
        imported(lm_eval(tmp_path / "logs", others))


def test_an_imported_run_can_be_read_and_compared(imported: Callable[..., Import], demo: Path, tmp_path: Path) -> None:
    evaluate("baseline:longest", data=demo, split="demo", output=tmp_path / "run")
    imported(tmp_path / "run" / "predictions.json")
    run: Run = load_run(tmp_path / "imported")
    assert run.record.imported is not None
    assert call("compare", tmp_path / "run", tmp_path / "imported") == 0
    assert call("view", tmp_path / "imported", "--wrong") == 0


def test_numbers_that_are_none_as_python_writes_them_stop_no_import(
    imported: Callable[..., Import], tmp_path: Path, questions: Sequence[Question]
) -> None:
    folder = lm_eval(tmp_path / "logs", questions)
    for path in folder.iterdir():
        path.write_text(
            path.read_text().replace('"exact_match": 1.0', '"exact_match": NaN').replace(": 1.0}", ": NaN}")
        )
    assert all("NaN" in path.read_text() for path in folder.iterdir())
    done = imported(folder)
    assert done.run.results.counts["right"] == len(questions)
    assert done.comparison.scored_otherwise == ()


def test_keys_in_a_log_reach_no_run_folder(
    imported: Callable[..., Import], tmp_path: Path, questions: Sequence[Question]
) -> None:
    folder = lm_eval(tmp_path / "logs", questions)
    (results,) = folder.glob("results_*")
    arguments = "model=x,api_key=sk-very-secret,base_url=http://me:sk-very-secret@host/v1,max_tokens=5"
    content = json.loads(results.read_text()) | {"config": {"model": "api", "model_args": arguments}}
    results.write_text(json.dumps(content | {"model_name": arguments}))
    done = imported(folder)
    kept = b"".join(path.read_bytes() for path in done.run.path.iterdir())
    assert b"sk-very-secret" not in kept
    assert b"model=x,api_key=[removed],base_url=http://host/v1,max_tokens=5" in kept
