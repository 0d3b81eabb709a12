"""Trackers follow a run for real: what each of them kept is read back by its own library, and is what the run says."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import other_environments as other
import pytest
from calling import call
from fake_server import FakeServer
from ports import free_port
from processes import served
from until import until
from whole_lines import whole_lines

from egocross_eval import Run, TrackerType, UsageError, Warned, evaluate, load_run
from egocross_eval.contracts.event import Event
from egocross_eval.contracts.registry import registry
from egocross_eval.interop.trackers.following import COLUMNS, FILES, Follower, final, identity, row, running

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

SECRET = "sk-very-secret-key"


def followed(demo: Path, folder: Path, tracker: str, **more: str) -> Run:
    """A run in two goes of the same command, followed by a tracker: its first is killed after 40 questions."""
    arguments = ["--model", "baseline:longest", "--data", str(demo), "--split", "demo", "--output", str(folder)]
    settings = {"WANDB_API_KEY": SECRET, "SWANLAB_API_KEY": SECRET, "MLFLOW_TRACKING_TOKEN": SECRET, **more}
    first = other.run("exports", "python", "-c", CUT_OFF, *arguments, "--track", tracker, more=settings)
    assert first.returncode == -signal.SIGKILL, first.stderr
    assert len((folder / "samples.jsonl").read_text().splitlines()) == 40
    done = other.run("exports", "egocross-eval", *arguments, "--track", tracker, more=settings)
    assert done.returncode == 0, done.stderr
    assert "is told no more" not in done.stderr
    return load_run(folder)


CUT_OFF = """
import itertools, os, signal, sys
from egocross_eval.cli.main import main
from egocross_eval.model_adapters import baseline
whole = baseline.BaselineAdapter.generate
def cut(self, requests):
    yield from itertools.islice(whole(self, requests), 40)
    os.kill(os.getpid(), signal.SIGKILL)
baseline.BaselineAdapter.generate = cut
main(sys.argv[1:])
"""


def no_secret_in(folder: Path) -> None:
    assert not [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


@pytest.mark.interop
def test_trackio_has_figures_samples_and_files_of_a_run_in_two_goes(demo: Path, tmp_path: Path) -> None:
    place = {"TRACKIO_DIR": str(tmp_path / "trackio")}
    run = followed(demo, tmp_path / "run", "trackio:mine", **place)
    code = """
import json, trackio
(run,) = trackio.Api().runs("mine")
from trackio.sqlite_storage import SQLiteStorage
logs = SQLiteStorage.get_logs("mine", run.name)
last = {k: v for row in logs for k, v in row.items()}
table = last["samples"]
numbers = {k: v for k, v in last.items() if isinstance(v, (int, float))}
rows = len(table.get("_value", table.get("data", [])))
config = SQLiteStorage.get_run_config("mine", run.name)
print(json.dumps({"steps": [row.get("step") for row in logs], "last": numbers, "rows": rows, "config": config}))
"""
    kept = other.said("exports", code, more=place)
    assert {name: kept["last"][name] for name in final(run.results)} == final(run.results)
    assert kept["last"]["running/right"] == run.results.counts["right"]
    assert kept["rows"] == 100
    assert kept["config"]["model"] == "baseline:longest"
    assert list((tmp_path / "trackio").rglob("*samples.jsonl*")) or kept["steps"][-1] == 100
    no_secret_in(tmp_path)


@pytest.mark.interop
@pytest.mark.parametrize("form", [("--events",), ("--format", "json")])
def test_trackio_leaves_standard_output_to_programs_also_when_the_process_ends(
    demo: Path, tmp_path: Path, form: tuple[str, ...]
) -> None:
    words = ["--model", "baseline:longest", "--data", str(demo), "--split", "demo", "--output", str(tmp_path / "run")]
    for _ in ("new", "gone on with"):
        place = {"TRACKIO_DIR": str(tmp_path / "trackio")}
        done = other.run("exports", "egocross-eval", *words, "--track", "trackio:mine", *form, more=place)
        assert done.returncode == 0, done.stderr
        for document in done.stdout.splitlines() if form == ("--events",) else [done.stdout]:
            json.loads(document)


@pytest.mark.interop
def test_wandb_offline_has_figures_samples_and_files(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "wandb").mkdir()
    place = {
        "WANDB_DIR": str(tmp_path / "wandb"),
        "WANDB_CACHE_DIR": str(tmp_path / "c"),
        "WANDB_DATA_DIR": str(tmp_path / "d"),
    }
    run = followed(demo, tmp_path / "run", "wandb:mine,mode=offline", **place)
    code = """
import json, struct, sys
from pathlib import Path
from wandb.proto import wandb_internal_pb2 as pb

def records(data):
    # LevelDB's log: pieces with check sum, length and kind, in blocks; seven bytes of W&B's before.
    place, whole = 7, b""
    while place + 7 <= len(data):
        rest = 32768 - place % 32768
        if rest < 7:
            place += rest
            continue
        _, length, kind = struct.unpack("<IHB", data[place:place + 7])
        whole += data[place + 7:place + 7 + length]
        place += 7 + length
        if kind in (1, 4):
            yield whole
            whole = b""

ids, summary, files = set(), {}, set()
for path in sorted(Path(sys.argv[1]).rglob("*.wandb")):
    for data in records(path.read_bytes()):
        record = pb.Record()
        record.ParseFromString(data)
        if record.HasField("run"):
            ids.add(record.run.run_id)
        for item in [*record.history.item, *record.summary.update]:
            summary[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
        for entry in record.artifact.manifest.contents:
            files.add(entry.path)
print(json.dumps({"ids": sorted(ids), "summary": summary, "files": sorted(files)}))
"""
    kept = other.said("exports", code, tmp_path / "wandb")
    assert kept["ids"] == [identity(run.record).id]
    assert {name: kept["summary"][name] for name in final(run.results)} == final(run.results)
    assert kept["summary"]["running/right"] == run.results.counts["right"]
    assert (kept["summary"]["samples/nrows"], kept["summary"]["samples/ncols"]) == (100, len(COLUMNS))
    assert set(FILES) <= set(kept["files"])
    no_secret_in(tmp_path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An MLflow server on SQLite."""
    folder = tmp_path_factory.mktemp("mlflow")
    address = f"http://127.0.0.1:{free_port()}"
    with mlflow_server(folder, address):
        yield address


@contextlib.contextmanager
def mlflow_server(folder: Path, address: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [str(other.program("exports", "mlflow")), "server", "--backend-store-uri", f"sqlite:///{folder}/store.db"]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--workers", "1"]
    command += ["--port", address.rpartition(":")[2]]
    path = {"PATH": f"{Path(command[0]).parent}:/usr/bin:/bin"}
    with served(command, f"{address}/health", folder / "log", path) as process:
        yield process


@pytest.mark.interop
def test_an_mlflow_server_has_figures_samples_and_files_in_one_run(demo: Path, tmp_path: Path, server: str) -> None:
    run = followed(demo, tmp_path / "run", f"mlflow:{server},experiment=mine")
    code = """
import json, sys, mlflow
client = mlflow.MlflowClient(tracking_uri=sys.argv[1])
experiment = client.get_experiment_by_name("mine").experiment_id
runs = client.search_runs([experiment])
data, info = runs[0].data, runs[0].info
history = client.get_metric_history(info.run_id, "running/right")
mlflow.set_tracking_uri(sys.argv[1])
table = json.load(open(mlflow.artifacts.download_artifacts(run_id=info.run_id, artifact_path="samples.json")))
files = [f.path for f in client.list_artifacts(info.run_id, "run")]
print(json.dumps({"runs": len(runs), "status": info.status, "metrics": data.metrics, "params": data.params,
  "files": files, "table": table["columns"], "rows": len(table["data"]), "steps": [m.step for m in history]}))
"""
    kept = other.said("exports", code, server)
    assert (kept["runs"], kept["status"]) == (1, "FINISHED")
    allowed = {
        "".join(c if c.isalnum() or c in "_-. :/" else "-" for c in name): x for name, x in final(run.results).items()
    }
    assert {name: kept["metrics"][name] for name in allowed} == pytest.approx(allowed)
    assert kept["params"]["model"] == "baseline:longest"
    assert {f"run/{name}" for name in FILES} == set(kept["files"])
    assert (kept["table"], kept["rows"]) == (list(COLUMNS), 100)
    assert kept["steps"] == sorted(kept["steps"])
    assert {40, 41, 100} <= set(kept["steps"])
    no_secret_in(tmp_path)


@pytest.mark.interop
def test_swanlab_offline_has_figures_samples_and_files(demo: Path, tmp_path: Path) -> None:
    place = {"SWANLAB_LOG_DIR": str(tmp_path / "swan"), "SWANLAB_LOGDIR": str(tmp_path / "swan")}
    run = followed(demo, tmp_path / "run", "swanlab:mine,mode=offline", **place)
    code = """
import json, sys
from pathlib import Path
from swanlab.proto.swanlab.record.v1.record_pb2 import Record
from swanlab.sdk.internal.core_python.store import DataStoreReader

ids, projects, ends, kinds, figures, steps, files, rows = set(), set(), [], set(), {}, [], {}, []
for path in sorted(Path(sys.argv[1]).rglob("*.swanlab")):
    reader = DataStoreReader()
    reader.open(path)
    for data in reader:
        record = Record.FromString(data)
        kind = record.WhichOneof(record.DESCRIPTOR.oneofs[0].name)
        kinds.add(kind)
        if kind == "start":
            ids.add(record.start.id)
            projects.add(record.start.project)
        elif kind == "scalar":
            figures[record.scalar.key] = record.scalar.value.number
            steps.append(record.scalar.step)
        elif kind == "save" and record.save.source_path.startswith(sys.argv[2]):
            files[record.save.name] = Path(record.save.source_path).read_bytes().decode()
        elif kind == "media":
            (item,) = record.media.value.items
            table = json.loads((path.parent / "media" / "echarts" / item.filename).read_text())
            rows = [list(row.values()) for row in table["rowData"]]
        elif kind == "finish":
            ends.append(record.finish.state)
print(json.dumps({"ids": sorted(ids), "projects": sorted(projects), "ends": ends, "kinds": sorted(kinds),
  "figures": figures, "steps": steps, "files": files, "rows": rows}))
"""
    kept = other.said("exports", code, tmp_path / "swan", tmp_path / "run")
    assert (kept["ids"], kept["projects"]) == ([identity(run.record).id], ["mine"])
    assert {name: kept["figures"][name] for name in final(run.results)} == pytest.approx(final(run.results))
    assert kept["figures"]["running/right"] == run.results.counts["right"]
    assert kept["steps"] == sorted(kept["steps"])
    assert (kept["steps"][-1], len(kept["ends"])) == (100, 1)
    assert kept["files"] == {name: (tmp_path / "run" / name).read_text() for name in FILES}
    assert kept["rows"] == [row(sample, run.record) for sample in run.samples]
    # Neither what was printed nor how the process was called.
    assert set(kept["kinds"]) == {"start", "column", "scalar", "media", "save", "finish"}
    assert not [path for path in (tmp_path / "swan").rglob("*.json") if b"--track" in path.read_bytes()]
    no_secret_in(tmp_path)


@pytest.mark.interop
@pytest.mark.slow
@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGSTOP])
def test_a_server_that_dies_or_hangs_in_the_middle_is_warned_of_once_and_stops_nothing(
    demo: Path, tmp_path: Path, fate: signal.Signals
) -> None:
    address, folder = f"http://127.0.0.1:{free_port()}", tmp_path / "run"
    with mlflow_server(tmp_path, address) as store, FakeServer(latency=0.3) as model:
        spec = f"openai:fake,base_url={model.base_url},concurrency=2"
        words = ["--model", spec, "--data", str(demo), "--split", "demo", "--limit", "60", "--output", str(folder)]
        command = [str(other.program("exports", "egocross-eval")), *words, "--no-cache", "--track", f"mlflow:{address}"]
        settings = {**os.environ, "PYTHONPATH": str(other.ROOT), "MLFLOW_HTTP_REQUEST_TIMEOUT": "2"}
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=settings)
        # MLflow takes its time to import beside other work.
        until(lambda: len(whole_lines(folder / "samples.jsonl")) >= 10, run)
        os.killpg(store.pid, fate)
        _, said = run.communicate(timeout=240)
        os.killpg(store.pid, signal.SIGKILL)
    assert run.returncode == 0, said
    assert said.count("is told no more") == 1
    assert load_run(folder).results.complete
    assert (folder / "results.json").is_file()


HANGS_AT_THE_END = """
import os, signal, sys
from egocross_eval.cli.main import main
from egocross_eval.interop.trackers.following import Follower
from egocross_eval.runs import telling
telling.LAST_PATIENCE = float(os.environ["LAST"])
whole = Follower._end
def end(self, results):
    os.killpg(int(os.environ["STORE"]), signal.SIGSTOP)
    print("sending", flush=True, file=sys.stderr)
    whole(self, results)
Follower._end = end
main()
"""


@pytest.mark.interop
@pytest.mark.slow
@pytest.mark.parametrize("interrupted", [False, True])
def test_a_server_that_hangs_at_the_end_is_waited_for_so_long_and_no_longer(
    demo: Path, tmp_path: Path, interrupted: bool
) -> None:
    address, folder = f"http://127.0.0.1:{free_port()}", tmp_path / "run"
    with mlflow_server(tmp_path, address) as store:
        words = ["--model", "baseline:longest", "--data", str(demo), "--limit", "20", "--output", str(folder)]
        command = [
            str(other.program("exports", "python")),
            "-c",
            HANGS_AT_THE_END,
            *words,
            "--track",
            f"mlflow:{address}",
        ]
        settings = {"PYTHONPATH": str(other.ROOT), "MLFLOW_HTTP_REQUEST_TIMEOUT": "3600", "STORE": str(store.pid)}
        settings["LAST"] = "3600" if interrupted else "3"
        begun = time.monotonic()
        run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **settings})
        said = ""
        if interrupted:
            assert run.stderr is not None
            for line in run.stderr:
                said += line
                if "sending" in line:
                    break
            time.sleep(1)
            run.send_signal(signal.SIGINT)
        said += run.communicate(timeout=600)[1]
        assert time.monotonic() - begun < 600
        os.killpg(store.pid, signal.SIGKILL)
    assert run.returncode == (130 if interrupted else 0), said
    assert said.count("did not come back from the event Ended within 3 s and is told no more") == (not interrupted)
    assert load_run(folder).results.complete


class Kept:
    """A client that keeps what it's told, or breaks."""

    def __init__(self, breaks: str = "") -> None:
        self.breaks = breaks
        self.told: list[tuple[str, Any]] = []

    def _keep(self, what: str, value: Any = None) -> None:
        if what == self.breaks:
            raise ConnectionError("the tracker went away")
        self.told.append((what, value))

    def begin(self, run: Any) -> None:
        self._keep("begin", run)

    def log(self, figures: Any, step: int) -> None:
        self._keep("log", (dict(figures), step))

    def summary(self, figures: Any) -> None:
        self._keep("summary", dict(figures))

    def table(self, rows: Any) -> None:
        self._keep("table", list(rows))

    def files(self, paths: Any) -> None:
        self._keep("files", [path.name for path in paths])

    def end(self) -> None:
        self._keep("end")


@pytest.fixture
def tracked(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Kept], tuple[Run, list[Event]]]:
    def tracked(client: Kept) -> tuple[Run, list[Event]]:
        kind = TrackerType(name="kept", description="", build=lambda place, options: Follower(client))
        monkeypatch.setitem(registry().trackers, "kept", kind)
        events: list[Event] = []
        output = tmp_path / "run"
        run = evaluate(
            "baseline:longest", data=demo, split="demo", track=("kept:here",), output=output, on_event=events.append
        )
        return run, events

    return tracked


def test_a_tracker_is_told_running_then_final_figures_then_samples_and_files(
    tracked: Callable[[Kept], tuple[Run, list[Event]]],
) -> None:
    client = Kept()
    run, _ = tracked(client)
    kinds = [what for what, _ in client.told]
    assert kinds[0] == "begin"
    assert kinds[-4:] == ["summary", "table", "files", "end"]
    told = dict(client.told)
    assert told["summary"] == final(run.results)
    assert told["log"][0]["running/right"] == run.results.counts["right"]
    assert [row[0] for row in told["table"]] == [sample.key for sample in run.samples]
    assert told["files"] == list(FILES)


@pytest.mark.parametrize("breaks", ["begin", "log", "summary", "table", "files", "end"])
def test_a_tracker_that_fails_is_warned_of_once_and_stops_nothing(
    tracked: Callable[[Kept], tuple[Run, list[Event]]], breaks: str
) -> None:
    run, events = tracked(Kept(breaks))
    assert run.results.complete
    warned = [event.message for event in events if isinstance(event, Warned) and "tracker" in event.message]
    assert len(warned) == 1
    assert "the tracker 'kept:here' failed on the event" in warned[0]
    assert "the tracker went away" in warned[0]


def test_accuracy_so_far_is_right_over_all_that_count() -> None:
    figures = running({"right": 3, "wrong": 1, "not_parsed": 1, "filtered": 1, "errored": 5})
    assert figures["running/accuracy"] == 0.5
    assert "running/accuracy" not in running({"errored": 2})


@pytest.mark.parametrize(
    ("track", "message"),
    [
        ("wandbb:mine", r"unknown tracker 'wandbb' \(did you mean 'wandb'"),
        ("mlflow:http://me:pw@host/", "user or password"),
        ("trackio", "the package 'trackio' can't be imported|needs its place: trackio:PROJECT"),
        ("wandb:mine,mode=online,x=1", "unknown option 'x'"),
        ("wandb:mine,mode=never", "it must be online or offline"),
    ],
)
def test_what_a_tracker_lacks_is_told_before_the_run(demo: Path, tmp_path: Path, track: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        evaluate("baseline:longest", data=demo, split="demo", track=(track,), output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.interop
@pytest.mark.parametrize(
    ("track", "message"),
    [
        ("wandb:mine", "nobody is logged in; run 'wandb login', set WANDB_API_KEY, or use mode=offline"),
        ("swanlab:mine", "nobody is logged in; run 'swanlab login'"),
        ("mlflow:http://127.0.0.1:9", "no server answers at http://127.0.0.1:9"),
        ("mlflow:./mlruns", "./mlruns can't be used: The filesystem tracking backend"),
        ("mlflow:foo://x", "name a server (http://HOST:5000) whose credentials are set, or a database"),
        ("mlflow:databricks", "databricks can't be used: Reading Databricks credential configuration failed"),
        ("wandb:logged-in", "no server answers at http://127.0.0.1:9; look at the network, or use mode=offline"),
        ("swanlab:logged-in", "no server answers at http://127.0.0.1:9; look at the network, or use mode=offline"),
    ],
)
def test_absent_credentials_and_servers_are_told_before_the_run(
    demo: Path, tmp_path: Path, track: str, message: str
) -> None:
    arguments = [
        "--model",
        "baseline:longest",
        "--data",
        str(demo),
        "--split",
        "demo",
        "--output",
        str(tmp_path / "run"),
    ]
    key = SECRET if "logged-in" in track else ""
    none = {"HOME": str(tmp_path), "WANDB_API_KEY": key, "SWANLAB_API_KEY": key}
    none |= {"WANDB_BASE_URL": "http://127.0.0.1:9", "SWANLAB_API_HOST": "http://127.0.0.1:9"} if key else {}
    done = other.run("exports", "egocross-eval", *arguments, "--track", track, more=none)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "run").exists()


KEY = "0123456789abcdef0123456789abcdef01234567"
"""In the form that the packages want, and unknown to any server."""


@pytest.fixture
def refusing() -> Iterator[tuple[str, list[bytes]]]:
    """A server that refuses each request as unauthorised, and what it was sent."""
    sent: list[bytes] = []

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.path.encode() + b"\n" + self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            reply = b'{"errors": [{"message": "no such key"}], "message": "no such key"}'
            self.send_response(401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        do_GET = do_PUT = do_HEAD = do_POST  # noqa: N815

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", sent
        server.shutdown()


@pytest.mark.interop
@pytest.mark.slow
@pytest.mark.parametrize("name", ["wandb", "swanlab"])
def test_a_key_that_a_tracker_s_server_refuses_is_told_once_stops_nothing_and_stays_where_it_was(
    demo: Path, tmp_path: Path, refusing: tuple[str, list[bytes]], name: str
) -> None:
    address, sent = refusing
    folder = tmp_path / "run"
    words = ["--model", "baseline:longest", "--data", str(demo), "--split", "demo", "--limit", "6"]
    more = {
        "HOME": str(tmp_path),
        "WANDB_DIR": str(tmp_path),
        "WANDB_BASE_URL": address,
        "SWANLAB_API_HOST": address,
        "WANDB_API_KEY": KEY,
        "SWANLAB_API_KEY": KEY,
    }
    track = ["--output", str(folder), "--track", f"{name}:mine"]
    done = other.run("exports", "egocross-eval", *words, *track, more=more)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if f"the tracker '{name}:mine'" in line]
    assert len(told) == 1
    assert "failed on the event Started and is told no more" in told[0]
    assert sent
    plain = evaluate("baseline:longest", data=demo, split="demo", limit=6, output=tmp_path / "plain")
    assert load_run(folder).results.micro == plain.results.micro
    assert KEY not in done.stdout + done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert not [body for body in sent if b"Traceback" in body or str(folder).encode() in body]


def test_the_run_s_help_names_the_trackers(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "--help") == 0
    assert "--track" in capsys.readouterr().out
