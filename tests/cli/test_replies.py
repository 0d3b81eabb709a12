"""Every verb replies to programs: one document on standard output, of the published schema, and nothing else there."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from calling import call, call_on_full_disk
from public_schemas import FOLDER, schema_file, texts
from replied import document, fault
from verb_tree import reply_types, verbs

from egocross_eval import ModelAdapter, Request, Response, evaluate, judge, load_run
from egocross_eval.leaderboard.site.live import LiveSite

LINES = {
    "run": (
        "{asked} --model baseline:longest --output {new}",
        "{asked} --model baseline:longest --model baseline:chance --output {new}",
        "{asked} --model baseline:longest --dry-run",
    ),
    "sweep": ("{sweep} --output {new}", "{sweep} --dry-run"),
    "tune": ("{sweep} --output {new}", "{sweep} --dry-run"),
    "watch": ("{training} --model baseline:longest,name={{}} --data {demo} --limit 6 --once --output {new}",),
    "merge": ("{root}/shard1 {root}/shard2 --output {new}",),
    "combine": (
        "{a} {b} --rule votes --output {new}",
        "{a} {b} --rule best --chosen-on {root}/other-a --chosen-on {root}/other-b --output {new}",
    ),
    "status": ("{a}", "{root}", "{a} --live"),
    "data verify": ("--data {demo}", "--data {demo} --tasks animal"),
    "tasks": ("", "'*-localization' --data {demo}"),
    "models": ("",),
    "models show": ("hf", "lmms"),
    "methods": ("", "verify"),
    "plugins": ("",),
    "plugins new": ("my-model --kind adapter --output {new}",),
    "show": ("5 --data {demo} --timestamps", "5 --data {demo} --output {new}.png"),
    "parse": (
        "'the answer is B'",
        "'no idea'",
        "--rules",
        "--jsonl {root}/outputs.jsonl",
        "--jsonl {root}/outputs.jsonl --output {new}",
    ),
    "score": ("{a}", "{a}/predictions.json --data {demo}"),
    "judge run": ("{open} --judge rules",),
    "judge audit": ("--judge rules --data {demo} --limit 4 --output {new}",),
    "judge label": ("{open} --draw 2",),
    "judge agree": ("{judged}",),
    "judge formats": ("{judged}/judges/rules {closed}",),
    "export": ("", "{a} --to lm-eval --output {new}"),
    "import": ("", "{a}/predictions.json --from predictions --data {demo} --output {new}"),
    "lmms-eval path": ("--data {demo}",),
    "leaderboard": ("{a} {b}", "{a} --no-published"),
    "leaderboard verify": ("{root}/rows.json {a}",),
    "compare": ("{a} {b}", "{a} {b} --live"),
    "audit": ("{a} --support {demo}/egocross_support_set/train.json",),
    "view": ("{a} --most 3", "{a} {b}"),
    "site": ("{a} {b} --output {new}",),
    "site publish": ("{root}/site --to folder:{new} --answers", "{root}/site --to folder:{new} --answers --yes"),
    "cache": ("",),
    "cache clear": ("all",),
    "doctor": ("",),
}
"""By verb the command lines that are called here."""

ELSEWHERE = {
    "demo": "cli/test_demo_verb.py",
    "data fetch": "tasks/egocross/test_fetch.py",
    "data demo": "cli/test_replies.py",
    "models build-tiny": "cli/test_replies.py",
    "submit": "cli/test_commands.py",
    "lmms-eval run": "interop/test_inside_lmms_eval.py",
    **dict.fromkeys(
        (
            "train run",
            "train data",
            "train merge",
            "train doctor",
            "train checkpoints",
            "train recipes",
            "train environment",
            "experiment",
        ),
        "training/test_training_replies.py",
    ),
}
"""Verbs that need more than a moment, and the test that calls each."""


class Speaking(ModelAdapter):
    """Says something to each question."""

    def fingerprint(self) -> str:
        return "speaking"

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for number, request in enumerate(requests):
            yield Response(key=request.key, text=f"a zeppelin, {number} times")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> dict[str, str]:
    """What the lines are about."""
    root = tmp_path_factory.mktemp("replies")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO("y\nn\ny\nn\n"))
        for name, model in (("a", "baseline:longest"), ("b", "baseline:chance")):
            evaluate(model, data=demo, limit=8, output=root / name)
            evaluate(model, data=demo, split="support", limit=8, output=root / f"other-{name}")
        for number in (1, 2):
            evaluate("baseline:longest", data=demo, limit=8, shard=f"{number}/2", output=root / f"shard{number}")
        evaluate("baseline:longest", "animal", data=demo, limit=6, output=root / "closed")
        for name in ("open", "judged"):
            evaluate(Speaking(), "open-animal", data=demo, limit=6, output=root / name)
        judge(root / "judged", "rules")
        assert call("judge", "label", root / "judged", "--draw", "4") == 0
        assert call("leaderboard", root / "a", "--no-published", "--output", root / "rows.json") == 0
        assert call("site", root / "a", "--output", root / "site") == 0
    content = {
        "models": ["baseline:chance"],
        "options": {"data": str(demo), "split": "support", "limit": 12},
        "settings": {"plain": {}, "few": {"frames": "uniform:2"}},
    }
    (root / "sweep.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    (root / "outputs.jsonl").write_text('{"output": "B"}\n{"output": "no idea"}\n', encoding="utf-8")
    _write_checkpoint(root / "training" / "checkpoint-10")
    names = ("a", "b", "closed", "open", "judged", "training")
    return {
        **{name: str(root / name) for name in names},
        "root": str(root),
        "demo": str(demo),
        "sweep": str(root / "sweep.yaml"),
        "asked": f"--data {demo} --limit 4",
    }


def _write_checkpoint(folder: Path) -> None:
    header = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 8)
    (folder / "trainer_state.json").write_text('{"global_step": 10, "max_steps": 10, "save_steps": 10}')


CALLS = [pytest.param(verb, line, id=f"{verb} {line}".strip()) for verb, lines in LINES.items() for line in lines]


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize(("verb", "line"), CALLS)
def test_a_verb_replies_with_one_document(
    verb: str,
    line: str,
    places: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\nn\n"))
    monkeypatch.setattr(LiveSite, "keep_up_to_date", lambda site: None)
    if verb == "cache clear":
        # Other tests need what is in theirs.
        monkeypatch.setenv("EGOCROSS_CACHE", str(tmp_path))
    words = shlex.split(line.format(**places, new=tmp_path / "new"))
    code = call(*verb.split(), *words, "--format", "json")
    shown = capsys.readouterr()
    assert code in (0, 1), shown.err
    document(verb, shown.out)


def test_every_verb_is_called_somewhere() -> None:
    assert {verb for verb, _ in verbs()} == {*LINES, *ELSEWHERE}
    for verb, file in ELSEWHERE.items():
        assert f'document("{verb}"' in (Path(__file__).parents[1] / file).read_text(encoding="utf-8"), verb


def test_every_verb_has_a_schema_of_what_it_replies() -> None:
    """Without exception. The schemas are those of the types: tests/docs/test_tutorial.py."""
    lacking = [verb for verb, command in verbs() if not reply_types(command)]
    assert not lacking, "they lack @replies() or the type of what they return"
    assert all(schema_file(verb) in texts() for verb, _ in verbs())


def test_no_schema_is_left_of_a_verb_that_is_gone() -> None:
    assert {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.schema.json")} == set(texts()) - {"schemas.md"}


@pytest.mark.parametrize(
    "line",
    ["models show nothing", "compare nowhere", "run", "nonsense", "leaderboard --format=json --sort nothing"],
)
def test_what_is_wrong_is_a_document_too(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = line.split()
    code = call(*words, *([] if "--format=json" in words else ["--format", "json"]))
    shown = capsys.readouterr()
    found = fault(shown.out)
    assert found["exit_code"] == code == 2
    assert f"Error: {found['error']}\n" in shown.err


def test_what_is_wrong_is_a_document_too_where_a_config_file_asks_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.yaml").write_text("format: json\nlimit: 4\n")
    assert call("--config", tmp_path / "config.yaml", "--model", "bsline:chance") == 2
    assert "did you mean 'baseline'" in fault(capsys.readouterr().out)["error"]


def test_a_verb_that_breaks_leaves_a_document_and_its_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object) -> None:
        raise ZeroDivisionError("in the middle")

    monkeypatch.setattr("egocross_eval.contracts.registry.registry", broken)
    assert call("methods", "--format", "json") == 1
    shown = capsys.readouterr()
    assert fault(shown.out) == {"error": "ZeroDivisionError: in the middle", "exit_code": 1}
    assert "Traceback" in shown.err


@pytest.mark.parametrize("form", [["--format", "json"], []])
def test_a_full_disk_is_a_line(
    form: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call_on_full_disk(monkeypatch, "methods", *form) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: OSError: [Errno 28] No space left on device")


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_streams_may_be_closed(closed: str, places: dict[str, str], tmp_path: Path) -> None:
    words = [sys.executable, "-m", "egocross_eval", *shlex.split(places["asked"]), "--model", "baseline:longest"]
    line = f"{shlex.join([*words, '--output', str(tmp_path / 'run'), '--format', 'json'])} {closed}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert load_run(tmp_path / "run").results.complete
    if ">&-" not in closed.split():
        document("run", done.stdout)


def test_what_people_read_is_on_standard_error(
    places: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(places["asked"])
    assert call(*words, "--model", "baseline:longest", "--output", tmp_path / "run", "--format", "json") == 0
    shown = capsys.readouterr()
    (run,) = document("run", shown.out)["runs"]
    assert run["run"] == str(tmp_path / "run")
    assert run["results"] == json.loads((tmp_path / "run" / "results.json").read_text())
    assert "4 questions to ask" in shown.err
    assert f"run folder: {tmp_path / 'run'}" in shown.err


def test_a_model_that_breaks_stands_beside_those_that_ran(
    places: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*shlex.split(places["asked"]), "--model", "baseline:longest", "--model", "baseline:chance"]
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "baseline-chance").write_text("in the way")
    code = call(*words, "--output", tmp_path / "runs", "--format", "json")
    found = document("run", capsys.readouterr().out)
    assert [run["model"] for run in found["runs"]] == ["baseline:longest"]
    (broken,) = found["broken"]
    assert (broken["model"], broken["exit_code"]) == ("baseline:chance", code)


def test_a_document_goes_to_the_file_that_is_named(
    places: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("compare", "leaderboard"):
        file = tmp_path / f"{verb}.json"
        assert call(verb, places["a"], places["b"], "--format", "json", "--output", file) == 0
        assert capsys.readouterr().out == ""
        document(verb, file.read_text(encoding="utf-8"))


def test_the_form_may_stand_before_an_inner_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("models", "--format", "json", "show", "hf") == 0
    assert document("models show", capsys.readouterr().out)["scheme"] == "hf"


def test_a_folder_whose_name_is_no_text_is_named_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    monkeypatch.setenv("EGOCROSS_CACHE", str(folder))
    assert call("cache", "--format", "json") == 0
    assert document("cache", capsys.readouterr().out)["folder"].endswith("caf?")


@pytest.mark.parametrize("other", [["--format", "json"], ["--dry-run"]])
def test_lines_of_events_and_a_document_exclude_each_other(
    other: list[str], places: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["--model", "baseline:longest", *shlex.split(places["asked"])], ["sweep", places["sweep"]]):
        assert call(*words, "--events", *other) == 2
        assert "--events says how runs go on" in capsys.readouterr().err


NOISY = """
import os, subprocess, sys
from egocross_eval.cli.main import main
from egocross_eval.model_adapters.baseline import BaselineAdapter
generate = BaselineAdapter.generate
def noisy(self, requests):
    print("noise of Python")
    os.write(1, b"noise of C\\n")
    subprocess.run(["echo", "noise of a process"])
    yield from generate(self, requests)
BaselineAdapter.generate = noisy
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", [["--format", "json"], ["--events"]])
def test_what_engines_print_is_not_on_standard_output(form: list[str], places: dict[str, str], tmp_path: Path) -> None:
    words = [*shlex.split(places["asked"]), "--model", "baseline:longest", "--output", str(tmp_path / "run"), *form]
    done = subprocess.run([sys.executable, "-c", NOISY, *words], capture_output=True, text=True, check=True)
    for line in [done.stdout] if "json" in form else done.stdout.splitlines():
        json.loads(line)
    assert "noise" not in done.stdout
    assert all(f"noise of {what}" in done.stderr for what in ("Python", "C", "a process"))


@pytest.mark.slow
def test_a_benchmark_that_was_written_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("data", "demo", tmp_path / "demo", "--per-cell", "1", "--format", "json") == 0
    found = document("data demo", capsys.readouterr().out)
    assert (found["root"], found["training"]) == (str(tmp_path / "demo"), 0)
    pictures = [path for path in (tmp_path / "demo").rglob("*") if path.suffix in (".jpg", ".png")]
    assert found["frames"] == len(pictures)


@pytest.mark.slow
def test_a_checkpoint_that_was_built_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("transformers")
    assert call("models", "build-tiny", tmp_path / "tiny", "--format", "json") == 0
    assert document("models build-tiny", capsys.readouterr().out) == {"checkpoint": str(tmp_path / "tiny")}
