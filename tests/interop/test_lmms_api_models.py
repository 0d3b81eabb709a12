"""lmms-eval's clients of OpenAI-like servers against a real server: asked by us, and asking our task."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lmms_eval_runs
import pytest
from fake_server import NULL_CONTENT, STALL, Call, FakeServer, Fault, http_error, rate_limit
from lmms_eval_runs import LmmsEvalRun
from ports import closed_port

from egocross_eval import EgoCrossError, Run, evaluate, load_run

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

KINDS = ("openai", "async_openai")
SECRET = "sk-very-secret-key"
FAULTS = {1: rate_limit(), 2: http_error(500), 3: NULL_CONTENT, 4: http_error(400, "blocked by content policy")}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)  # of lmms-eval's clients; ours gives that one to OpenAI alone
    monkeypatch.setenv("FAKE_API_KEY", SECRET)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(models=("org/fake",), api_key=SECRET) as server:
        yield server


def spec(kind: str, server: FakeServer | str, more: str = "") -> str:
    url = server if isinstance(server, str) else server.base_url
    return f"lmms:{kind},model=org/fake,base_url={url},max_retries=1,retry_backoff_s=0{more}"


def asked(demo: Path, folder: Path, model: str, **keywords: Any) -> Run:
    return evaluate(model, data=demo, split="demo", output=folder, cache=False, **keywords)


def texts(server: FakeServer) -> set[tuple[str, int]]:
    """What each question asked: its words and number of pictures."""
    return {(call.text, len(call.images)) for call in server.calls}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("timestamps", [False, True])
def test_a_client_of_lmms_eval_asks_in_the_words_of_ours_and_hears_the_same(
    demo: Path, tmp_path: Path, server: FakeServer, kind: str, timestamps: bool
) -> None:
    model = f"openai:org/fake,base_url={server.base_url},api_key_env=FAKE_API_KEY"
    ours = asked(demo, tmp_path / "ours", model, limit=12, timestamps=timestamps)
    words = texts(server)
    server.calls.clear()
    theirs = asked(demo, tmp_path / "theirs", spec(kind, server), limit=12, timestamps=timestamps)
    assert texts(server) == words
    assert [sample.grade for sample in theirs.samples] == [sample.grade for sample in ours.samples]
    assert theirs.record.model.details["frames_encoded_as"] == "JPEG, quality 85"
    assert theirs.record.model.fingerprint == ""
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def by_text(number_of: dict[str, int]) -> Any:
    """Faults that stay with their question, whatever the order of arrival."""

    def fault(call: Call) -> Fault | None:
        return FAULTS.get(number_of.setdefault(call.text, len(number_of) + 1))

    return fault


@pytest.mark.parametrize("kind", KINDS)
def test_its_failures_are_told_apart_and_asked_again_by_the_same_command(demo: Path, tmp_path: Path, kind: str) -> None:
    with FakeServer(models=("org/fake",), faults=by_text({})) as server:
        run = asked(demo, tmp_path / "run", spec(kind, server), limit=8)
        kinds = sorted(sample.failure.kind for sample in run.samples if sample.failure)
        assert kinds[:2] == ["filtered", "http_429"]
        assert kinds[2] == "http_500"
        # Where the reply says nothing of tokens, `openai` fails on the missing text; the other one goes on with it.
        assert kinds[3:] == ["request_failed" if kind == "openai" else "no_response"]
        assert {name: run.results.counts.get(name, 0) for name in ("errored", "filtered")} == {
            "errored": 3,
            "filtered": 1,
        }
        server._faults = None
        again = asked(demo, tmp_path / "run", spec(kind, server), limit=8)
    assert again.results.counts.get("errored", 0) == 0
    assert again.results.complete


@pytest.mark.parametrize("kind", KINDS)
def test_a_reply_that_counts_tokens_and_has_no_text_is_no_answer(demo: Path, tmp_path: Path, kind: str) -> None:
    with FakeServer(models=("org/fake",), message={"content": None}) as server:
        run = asked(demo, tmp_path / "run", spec(kind, server), limit=3)
    assert {sample.failure.kind for sample in run.samples if sample.failure} == {"no_response"}
    assert run.results.counts["errored"] == 3


def test_a_server_that_stands_still_is_a_timeout(demo: Path, tmp_path: Path) -> None:
    with FakeServer(models=("org/fake",), faults=lambda call: STALL if call.number == 1 else None) as server:
        run = asked(demo, tmp_path / "run", spec("async_openai", server, ",timeout=5"), limit=3)
    assert [sample.failure.kind for sample in run.samples if sample.failure] == ["timeout"]


def test_a_server_that_is_gone_ends_a_run_by_its_first_questions(demo: Path, tmp_path: Path) -> None:
    with closed_port() as port:
        run = asked(demo, tmp_path / "run", spec("async_openai", f"http://127.0.0.1:{port}/v1"), limit=4)
    assert {sample.failure.kind for sample in run.samples if sample.failure} == {"connection"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("python", ["", f",python={sys.executable}"])
def test_a_missing_key_is_told_before_anything_is_asked(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: FakeServer, kind: str, python: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(EgoCrossError, match=rf"lmms:{kind} can't be made: OpenAIError: Missing credentials"):
        asked(demo, tmp_path / "run", spec(kind, server, python), limit=3)
    assert server.count == 0
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_an_argument_that_it_would_leave_out_in_silence_is_named(
    demo: Path, tmp_path: Path, server: FakeServer, kind: str
) -> None:
    with pytest.raises(EgoCrossError, match=rf"lmms:{kind} knows no argument 'timeot' \(did you mean 'timeout'"):
        asked(demo, tmp_path / "run", spec(kind, server, ",timeot=3"), limit=3)


def test_a_key_among_the_arguments_is_refused(demo: Path, tmp_path: Path, server: FakeServer) -> None:
    with pytest.raises(EgoCrossError, match="'api_key' would write a secret into the run folder"):
        asked(demo, tmp_path / "run", spec("openai", server, ",api_key=x"), limit=3)


@pytest.mark.parametrize("kind", KINDS)
def test_our_task_inside_lmms_eval_asks_through_a_client_and_its_log_comes_back_with_its_failures(
    demo: Path, tmp_path: Path, kind: str
) -> None:
    ours = asked(demo, tmp_path / "ours", "baseline:longest", limit=8)
    with FakeServer(models=("org/fake",), faults=by_text({})) as server:
        arguments = spec(kind, server).partition(",")[2]
        inside = lmms_eval_runs.run_inside(demo, tmp_path / "inside", arguments, "--limit", "8", model=kind, code=1)
    run = load_run(inside.folder)
    assert [sample.key for sample in run.samples] == [sample.key for sample in ours.samples]
    kinds = sorted(sample.failure.kind for sample in run.samples if sample.failure)
    assert kinds == ["filtered", "http_429", "http_500", "request_failed" if kind == "openai" else "no_response"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    _their_own_figure_counts_failures_as_wrong(inside, run)


def _their_own_figure_counts_failures_as_wrong(inside: LmmsEvalRun, run: Run) -> None:
    assert inside.value("egocross", "micro") == pytest.approx(run.results.counts["right"] / 8)


def test_a_key_on_lmms_eval_s_command_line_is_refused_before_it_reaches_a_log(demo: Path, tmp_path: Path) -> None:
    words: list[str | Path] = ["lmms-eval", "run", "--data", demo, "--split", "demo", "--output", tmp_path / "run"]
    done = lmms_eval_runs.start(
        tmp_path, "egocross_eval", *words, "--model", "openai", "--model_args", f"model=x,api_key={SECRET}", check=False
    )
    assert done.returncode == 2
    assert "set it in the environment" in done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert not (tmp_path / "run").exists()
    assert os.environ["OPENAI_API_KEY"] == SECRET


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (["--model", "opena"], "lmms-eval has no model 'opena' (did you mean 'openai'"),
        (["--model", "dummy", "--model=batch_gpt4"], "lmms:batch_gpt4 can't be asked about frames"),
    ],
)
def test_a_model_that_lmms_eval_lacks_or_that_is_of_no_use_is_told_before_it_starts(
    demo: Path, tmp_path: Path, model: list[str], why: str
) -> None:
    words: list[str | Path] = ["lmms-eval", "run", "--data", demo, "--split", "demo", "--output", tmp_path / "run"]
    done = lmms_eval_runs.start(tmp_path, "egocross_eval", *words, *model, check=False)
    assert done.returncode == 2
    assert why in done.stderr
    assert not (tmp_path / "run").exists()
