"""Runs in the forms of other tools, read back by those tools, or by our own importers, and equal to the count."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from calling import call

from egocross_eval import DataOptions, Run, RunError, UsageError, evaluate, export_run, load_run
from egocross_eval.contracts.exporter import ExportedRun
from egocross_eval.interop.exporting import hub
from egocross_eval.interop.exporting.options import HubOptions
from egocross_eval.interop.importing.runs import ImportOptions, import_run
from egocross_eval.runs import own

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def run(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return evaluate("baseline:longest", data=demo, split="demo", output=tmp_path_factory.mktemp("exported") / "run")


def with_a_failure(run: Run, folder: Path) -> Path:
    """A copy of the run in which one question failed."""
    folder.mkdir()
    for name in ("run.json", "questions.jsonl", "samples.jsonl"):
        (folder / name).write_bytes((run.path / name).read_bytes())
    first, *rest = (folder / "samples.jsonl").read_text().splitlines()
    line = json.loads(first)
    line["grade"] = {"outcome": "errored"}
    line["answers"][0]["response"] = {"key": line["key"], "failure": {"kind": "timeout", "message": "too slow"}}
    (folder / "samples.jsonl").write_text("\n".join([json.dumps(line), *rest]) + "\n")
    return folder


def right(run: Run) -> int:
    assert run.results.micro is not None
    return run.results.micro.right


def test_a_run_is_a_dataset_whose_frames_are_not_decoded(run: Run, demo: Path) -> None:
    table = run.to_dataset(demo)
    samples = run.samples
    assert table["question_id"] == [sample.key for sample in samples]
    assert table["prediction"] == [sample.grade.prediction for sample in samples]
    assert sum(outcome == "right" for outcome in table["outcome"]) == right(run)
    assert set(table["domain"]) == {"animal", "industry", "surgery", "xsports"}
    frames = table[0]["frames"]
    assert [frame["path"] for frame in frames] == [str(demo / name) for name in table[0]["frame_names"]]
    assert all(frame["bytes"] is None for frame in frames)


def test_frames_of_a_run_made_elsewhere_need_their_place(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    own.remember(run.record)
    assert "frames" in run.to_dataset().column_names
    monkeypatch.setattr("egocross_eval.runs.own.is_own", lambda record: False)
    assert "frames" not in run.to_dataset().column_names
    assert run.to_dataset()[0]["frame_names"]


def test_a_label_called_as_a_column_gets_a_name_of_its_own(run: Run) -> None:
    from egocross_eval.runs.dataset import dataset_of

    question = msgspec.structs.replace(run.samples[0].question, labels={"outcome": "mine"})
    table = dataset_of([msgspec.structs.replace(run.samples[0], question=question)], None)
    assert (table["label_outcome"], table["outcome"]) == (["mine"], [run.samples[0].outcome])


def test_parquet_has_every_answer(run: Run, tmp_path: Path) -> None:
    import pyarrow.parquet

    assert "100 rows" in export_run(run.path, "parquet", output=tmp_path / "run.parquet")
    rows = pyarrow.parquet.read_table(tmp_path / "run.parquet").to_pylist()
    assert [row["outputs"] for row in rows] == [[sample.answers[0].response.text] for sample in run.samples]
    assert sum(row["credit"] for row in rows) == right(run)


def test_a_saved_dataset_carries_its_frames(run: Run, demo: Path, tmp_path: Path) -> None:
    from datasets import load_from_disk

    export_run(run.path, f"dataset,data={demo}", output=tmp_path / "saved")
    row = load_from_disk(str(tmp_path / "saved"))[0]
    files = [demo / name for name in row["frame_names"]]
    assert [frame["bytes"] for frame in row["frames"]] == [file.read_bytes() for file in files]
    with pytest.raises(UsageError, match="saved is there already"):
        export_run(run.path, "dataset", output=tmp_path / "saved")


def test_lm_eval_s_form_comes_back_as_the_same_run(run: Run, demo: Path, tmp_path: Path) -> None:
    assert call("export", run.path, "--to", "lm-eval", "--output", tmp_path / "lm-eval") == 0
    data = DataOptions(data=demo, split="demo")
    again = import_run(tmp_path / "lm-eval", tmp_path / "again", ImportOptions(data=data))
    assert again.tool == "lm-eval"
    assert again.run.results.counts == run.results.counts
    assert again.run.results.groups == run.results.groups
    assert again.comparison.other == again.comparison.scored_otherwise == ()


@pytest.mark.interop
def test_lm_eval_itself_finds_and_prints_our_results(run: Run, tmp_path: Path) -> None:
    utils = pytest.importorskip("lm_eval.utils")
    export_run(run.path, "lm-eval", output=tmp_path / "model")
    names = [f"model/{path.name}" for path in (tmp_path / "model").iterdir()]
    found = utils.get_latest_filename(utils.get_results_filenames(names))
    assert len(utils.get_sample_results_filenames(names)) == 4
    table = utils.make_table(json.loads((tmp_path / found).read_text()), "groups")
    micro, macro = run.results.micro, run.results.macro
    assert micro is not None
    assert macro is not None
    assert f"|{micro.accuracy:.4f}|" in table
    assert f"|{macro.accuracy:.4f}|" in table


@pytest.mark.parametrize("form", ["lm-eval", "hub"])
def test_a_run_with_failures_is_refused_where_the_form_has_no_word_for_them(
    run: Run, tmp_path: Path, form: str
) -> None:
    folder = with_a_failure(run, tmp_path / "failed")
    with pytest.raises(UsageError, match=r"failed isn't complete \(1 errored\), and .* would show it as a whole run"):
        export_run(folder, form, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_over_a_part_is_no_result_for_the_hub(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"over 100 questions of the split 'demo'; .* over the whole split"):
        export_run(run.path, "hub", output=tmp_path / "hub")


@pytest.fixture
def whole(run: Run) -> ExportedRun:
    """The run as if the demo's questions were a whole split."""
    record = run.record
    benchmark = msgspec.structs.replace(record.benchmark, sizes={"demo": record.question_count})
    return ExportedRun(
        name="run",
        record=msgspec.structs.replace(record, benchmark=benchmark),
        results=run.results,
        samples=run.samples,
    )


def test_the_hub_s_file_has_each_figure_as_the_hub_s_own_library_reads_it(whole: ExportedRun, tmp_path: Path) -> None:
    from huggingface_hub._eval_results import parse_eval_result_entries

    said = hub.export(whole, tmp_path, HubOptions(source="https://example.org/run", revision="main"))
    file = tmp_path / ".eval_results" / "egocross.yaml"
    assert str(file) in said
    entries = parse_eval_result_entries(yaml.safe_load(file.read_text()))
    values = {entry.task_id: entry.value for entry in entries}
    micro, macro = whole.results.micro, whole.results.macro
    assert micro is not None
    assert macro is not None
    assert round(values["closed"] * micro.n / 100) == micro.right
    assert values["closed_macro"] == round(100 * macro.accuracy, 2)
    assert {"closed_animal", "closed_industry", "closed_surgery", "closed_xsports"} < set(values)
    assert {entry.dataset_id for entry in entries} == {"myuniverse/EgoCross"}
    assert "style letter" in str(entries[0].notes)


def test_a_pull_request_is_shown_before_it_is_opened(whole: ExportedRun, tmp_path: Path) -> None:
    said = hub.export(whole, tmp_path, HubOptions(repo="org/model"))
    assert "a pull request to https://huggingface.co/org/model would put this into .eval_results/egocross.yaml" in said
    assert "task_id: closed_macro" in said
    assert "--to hub,repo=org/model,open=true" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"open": True}, r"open=true needs the model's repository"),
        ({"repo": "org/model", "open": True}, "a pull request needs a token"),
        ({"source_name": "x"}, "give both"),
    ],
)
def test_what_a_pull_request_lacks_is_told_before_anything_is_written(
    whole: ExportedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], message: str
) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(UsageError, match=message):
        hub.export(whole, tmp_path, HubOptions(**options))
    assert not list(tmp_path.iterdir())


def test_a_repository_must_have_an_owner(run: Run) -> None:
    with pytest.raises(UsageError, match=r"form hub: .*'repo'"):
        export_run(run.path, "hub,repo=https://elsewhere/x")


class _Hub(BaseHTTPRequestHandler):
    """As much of the Hub's API as a commit needs; what it was sent is kept by the server."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kept: list[tuple[str, str, bytes]] = self.server.kept  # type: ignore[attr-defined]
        kept.append((self.path, self.headers["Authorization"], body))
        if "refused" in self.path:
            self._reply(403, {"error": "not yours"})
        elif "/preupload/" in self.path:
            files = [{"path": file["path"], "uploadMode": "regular"} for file in json.loads(body)["files"]]
            self._reply(200, {"files": [file | {"shouldIgnore": False} for file in files]})
        else:
            address = f"http://{self.headers['Host']}/org/model"
            self._reply(
                200,
                {"commitUrl": f"{address}/commit/{'0' * 40}", "commitOid": "0" * 40}
                | {"pullRequestUrl": f"{address}/discussions/1"},
            )

    def _reply(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def fake_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, bytes]]]:
    """A stand-in for the Hub, spoken to by its own library; the requests that it got."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    kept: list[tuple[str, str, bytes]] = []
    server.kept = kept  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    yield kept
    server.shutdown()
    server.server_close()


def test_a_pull_request_brings_the_file_and_keeps_the_token_out_of_it(
    whole: ExportedRun, tmp_path: Path, fake_hub: list[tuple[str, str, bytes]]
) -> None:
    said = hub.export(whole, tmp_path, HubOptions(repo="org/model", open=True))
    assert "/org/model/discussions/1" in said
    path, authorization, body = fake_hub[-1]
    assert path.startswith("/api/models/org/model/commit/main")
    assert "create_pr=1" in path
    assert authorization == "Bearer hf_secret"
    lines = [json.loads(line) for line in body.splitlines()]
    (file,) = [line["value"] for line in lines if line["key"] == "file"]
    written = (tmp_path / ".eval_results" / "egocross.yaml").read_bytes()
    assert (file["path"], file["encoding"]) == (".eval_results/egocross.yaml", "base64")
    assert base64.b64decode(file["content"]) == written
    assert written.decode() in hub.export(whole, tmp_path / "shown", HubOptions(repo="org/model"))
    header = next(line["value"] for line in lines if line["key"] == "header")
    assert header["summary"] == "Results on EgoCross"
    assert [place.partition("/main")[0] for place, _, _ in fake_hub] == [
        "/api/models/org/model/preupload",
        "/api/models/org/model/commit",
    ]
    assert b"hf_secret" not in body + written


def test_a_hub_that_is_out_of_reach_is_told_before_anything_is_written(
    whole: ExportedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UsageError, match=r"needs the Hub, and no server answers at http://127\.0\.0\.1:9"):
        hub.export(whole, tmp_path, HubOptions(repo="org/model", open=True))
    assert not list(tmp_path.iterdir())


def test_a_pull_request_that_is_refused_says_why(
    whole: ExportedRun, tmp_path: Path, fake_hub: list[tuple[str, str, bytes]]
) -> None:
    with pytest.raises(RunError, match=r"the Hub took no pull request to org/refused: .*403"):
        hub.export(whole, tmp_path, HubOptions(repo="org/refused", open=True))


def test_the_forms_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("export") == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")}
    assert {"submission", "hub", "lm-eval", "parquet", "dataset"} <= listed


def test_an_unknown_form_is_named(run: Run) -> None:
    with pytest.raises(UsageError, match=r"unknown exporter 'lmeval' \(did you mean 'lm-eval'"):
        export_run(run.path, "lmeval")
    assert load_run(run.path).record == run.record


@pytest.mark.parametrize("form", ["parquet", "lm-eval", "dataset,frames=false", "submission,rehearse=true"])
def test_every_form_makes_the_folders_above_its_output(run: Run, tmp_path: Path, form: str) -> None:
    target = tmp_path / "new" / "deeper" / "output"
    assert str(target) in export_run(run.path, form, output=target)
    assert target.exists()


def test_a_folder_that_cannot_be_made_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"can't make the folder .*file/deeper: (Not a directory|File exists)"):
        export_run(run.path, "parquet", output=tmp_path / "file" / "deeper" / "x.parquet")


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("every-eval-ever", "'organization' is missing: type organization=NAME"),
        ("hub,repo=notarepo", "'repo' is 'notarepo'; it must be like OWNER/NAME"),
        ("inspect,max_pixels=x", "'max_pixels' is 'x'; it must be a whole number from 0"),
        ("dataset,frames=maybe", "'frames' is 'maybe'; it must be true or false"),
    ],
)
def test_what_is_wrong_with_an_option_says_what_to_type(run: Run, tmp_path: Path, form: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        export_run(run.path, form, output=tmp_path / "output")
