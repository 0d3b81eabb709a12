"""Runs as logs of Inspect, and EgoCross as its task: asked, read and counted as here, by the real inspect-ai."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import other_environments as other
import pytest
from fake_server import Call, FakeServer

from egocross_eval import DataOptions, MissingExtraError, Run, evaluate, export_run
from egocross_eval.interop.importing.runs import ImportOptions, import_run

pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning")]

READ = """
import json, sys, base64
from inspect_ai.log import read_eval_log
log = read_eval_log(sys.argv[1], resolve_attachments=True)
values = [s.scores["letter"].value for s in log.samples if s.scores]
images = [p.image for m in log.samples[0].input for p in (m.content if isinstance(m.content, list) else [])
          if p.type == "image"]
texts = [p.text for m in log.samples[0].input for p in (m.content if isinstance(m.content, list) else [])
         if p.type == "text"]
print(json.dumps({
    "status": log.status, "samples": len(log.samples), "total": log.results.total_samples,
    "right": values.count("C"), "wrong": values.count("I"), "none": values.count("N"),
    "errors": sum(s.error is not None for s in log.samples),
    "metrics": {name: m.value for score in log.results.scores for name, m in score.metrics.items()},
    "images": [image[:30] for image in images], "texts": texts,
}))
"""


def answer(asked: Call) -> str:
    """Some answers can't be read."""
    return "I can't tell." if len(asked.text) % 5 == 0 else "The answer is B"


@pytest.fixture(scope="module")
def run(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("inspect") / "run"
    with FakeServer(answers=answer, models=("my-model",)) as server:
        model = f"openai:my-model,base_url={server.base_url}"
        return evaluate(model, data=demo, split="demo", frames="uniform:2", cache=False, output=folder)


@pytest.fixture(scope="module")
def exported(run: Run, demo: Path) -> Path:
    """The log of the run, written by our command in Inspect's environment."""
    folder = run.path / "log"
    form = f"inspect,data={demo},max_pixels=4096"
    done = other.run("exports", "egocross-eval", "export", run.path, "--to", form, "--output", folder)
    assert done.returncode == 0, done.stderr
    assert "100 samples, with frames" in done.stdout
    (log,) = folder.glob("*.eval")
    return log


@pytest.mark.interop
def test_inspect_reads_our_log_and_counts_as_we_do(run: Run, exported: Path) -> None:
    log = other.said("exports", READ, exported)
    counts = run.results.counts
    assert counts["not_parsed"] > 0
    assert (log["status"], log["samples"], log["total"]) == ("success", 100, 100)
    assert [log["right"], log["wrong"], log["none"]] == [counts["right"], counts["wrong"], counts["not_parsed"]]
    micro, macro = run.results.micro, run.results.macro
    assert micro is not None
    assert macro is not None
    assert log["metrics"]["accuracy"] == micro.accuracy
    assert log["metrics"]["macro"] == macro.accuracy
    assert [address.partition(",")[0] for address in log["images"]] == ["data:image/jpeg;base64"] * 2
    assert "".join(log["texts"]) == run.samples[0].answers[0].sent.messages[-1][1].replace("<image>", "")


@pytest.mark.interop
def test_inspect_s_viewer_takes_our_log(exported: Path, tmp_path: Path) -> None:
    places = ("--log-dir", exported.parent, "--output-dir", tmp_path / "site")
    done = other.run("exports", "inspect", "view", "bundle", *places)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "index.html").is_file()
    assert "egocross" in (tmp_path / "site" / "logs" / "listing.json").read_text()


@pytest.mark.interop
def test_our_log_comes_back_as_the_same_run(run: Run, exported: Path, demo: Path, tmp_path: Path) -> None:
    data = DataOptions(data=demo, split="demo")
    again = import_run(exported, tmp_path / "again", ImportOptions(data=data))
    assert again.tool == "inspect"
    assert again.run.results.counts == run.results.counts
    assert again.run.results.groups == run.results.groups
    assert again.comparison.other == again.comparison.scored_otherwise == ()


def inspect_eval(server: FakeServer, folder: Path, *task: str) -> Any:
    """What Inspect says of the task, asked of a server."""
    words = [word for setting in task for word in ("-T", setting)]
    done = other.run(
        "exports",
        "inspect",
        "eval",
        "egocross_eval/egocross",
        "--model",
        "openai-api/fake/my-model",
        *words,
        "--log-dir",
        folder,
        "--display",
        "plain",
        more={"FAKE_API_KEY": "sk-very-secret", "FAKE_BASE_URL": server.base_url},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (log,) = folder.glob("*.eval")
    assert b"sk-very-secret" not in log.read_bytes()
    return log


@pytest.mark.interop
def test_egocross_is_a_task_of_inspect_with_the_same_prompts_and_figures(run: Run, demo: Path, tmp_path: Path) -> None:
    with FakeServer(answers=answer, models=("my-model",)) as server:
        log = inspect_eval(server, tmp_path / "logs", f"data={demo}", "split=demo", "frames=uniform:2")
    found = other.said("exports", READ, log)
    counts = run.results.counts
    assert [found["right"], found["wrong"], found["none"]] == [counts["right"], counts["wrong"], counts["not_parsed"]]
    micro, macro = run.results.micro, run.results.macro
    assert micro is not None
    assert macro is not None
    assert found["metrics"]["accuracy"] == pytest.approx(micro.accuracy)
    assert found["metrics"]["macro"] == pytest.approx(macro.accuracy)
    assert found["metrics"]["stderr"] > 0
    assert found["metrics"]["animal"] == pytest.approx(run.results.groups["domain"]["animal"].accuracy)
    assert "".join(found["texts"]) == run.samples[0].answers[0].sent.messages[-1][1].replace("<image>", "")
    data = DataOptions(data=demo, split="demo")
    again = import_run(log, tmp_path / "again", ImportOptions(data=data))
    assert again.run.results.counts == counts


@pytest.mark.interop
def test_inspect_s_task_refuses_open_questions_by_name(tmp_path: Path) -> None:
    done = other.run(
        "exports", "inspect", "eval", "egocross_eval/egocross", "--model", "mockllm/model",
        "-T", "split=demo", "-T", "tasks=open", "--log-dir", tmp_path, "--display", "plain",
    )  # fmt: skip
    assert "Inspect's task asks questions with options" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(tmp_path.glob("*.eval"))


def test_without_inspect_the_extra_is_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "inspect_ai.log", None)
    with pytest.raises(MissingExtraError, match=r"'inspect_ai' is not installed; .*\[inspect\]"):
        export_run(run.path, "inspect", output=tmp_path / "log")
