"""The folder of tasks that lmms-eval is given, and the functions that it calls."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from calling import call

from egocross_eval import DataError, RunError, UsageError, evaluate
from egocross_eval.contracts.registry import registry
from egocross_eval.interop.lmms_eval import task_functions
from egocross_eval.interop.lmms_eval.environment import Environment, lmms_eval_environment
from egocross_eval.interop.lmms_eval.process import run_lmms_eval
from egocross_eval.interop.lmms_eval.task_folder import check_names, write_tasks
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import plan_run

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def folder(demo: Path, **keywords: Any) -> Path:
    return write_tasks(options_from(data=demo, split="demo", **keywords), registry())


def documents(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted(path.glob("*.jsonl")) for line in file.read_text().splitlines()]


class Loader(yaml.SafeLoader):
    pass


Loader.add_constructor("!function", lambda loader, node: f"function {node.value}")


def test_there_is_a_group_with_a_task_for_each_domain(demo: Path) -> None:
    path = folder(demo)
    group = yaml.safe_load((path / "egocross.yaml").read_text())
    assert set(group["task"]) == {"egocross_animal", "egocross_industry", "egocross_surgery", "egocross_xsports"}
    for name in group["task"]:
        task = yaml.load((path / f"{name}.yaml").read_text(), Loader=Loader)
        assert task["task"] == name
        assert (path / task["dataset_kwargs"]["data_files"]["test"]).is_file()
        assert task["process_results"] == "function utils.process_results"
        assert task["metadata"]["egocross_eval"]["questions"] == len((path / f"{name}.jsonl").read_text().splitlines())


def test_the_same_question_is_asked_in_the_same_words(demo: Path) -> None:
    options = options_from(data=demo, split="demo", timestamps=True)
    plan = plan_run(options, registry())
    told = {doc["question_id"]: doc for doc in documents(write_tasks(options, registry()))}
    assert set(told) == {question.key for question in plan.questions}
    for question in plan.questions:
        prompt = plan.approach(question).renderer.render(question, plan.root)
        (message,) = task_functions.doc_to_messages(told[question.key])
        texts = [part["text"] for part in message["content"] if part["type"] == "text"]
        frames = [part["url"] for part in message["content"] if part["type"] == "image"]
        assert texts == [part.text for part in prompt.messages[0].parts if hasattr(part, "text")]
        assert frames == prompt.frame_paths()
        assert f"<{question.frames[-1].time:.1f} seconds>" in texts
        assert question.text in task_functions.doc_to_text(told[question.key])


def test_answers_are_worth_what_they_are_in_a_run(demo: Path, tmp_path: Path) -> None:
    run = evaluate("baseline:longest", data=demo, split="demo", output=tmp_path / "run")
    told = {doc["question_id"]: doc for doc in documents(folder(demo))}
    for sample in run.samples:
        text = sample.answers[0].response.text or ""
        row = task_functions.process_results(told[sample.key], [text])["micro"]
        assert row["score"] == sample.grade.credit
        assert (row["letter"], row["outcome"]) == (sample.grade.prediction, sample.outcome)
        assert row["question_id"] == sample.key


@pytest.mark.parametrize("text", ["[LMMS_EVAL_REQUEST_FAILED after 3 retries] B", "[LMMS_EVAL_BUDGET_EXCEEDED]"])
def test_a_failure_text_is_no_answer(demo: Path, text: str) -> None:
    row = task_functions.process_results(documents(folder(demo))[0], [text])["macro"]
    assert (row["outcome"], row["score"], row["letter"]) == ("errored", 0.0, "")


def test_a_budget_of_pixels_is_kept(demo: Path) -> None:
    doc = documents(folder(demo, max_pixels=2000))[0]
    (message,) = task_functions.doc_to_messages(doc)
    pictures = [part["url"] for part in message["content"] if part["type"] == "image"]
    assert pictures
    assert all(picture.width * picture.height <= 2000 for picture in pictures)
    assert [picture.size for picture in task_functions.doc_to_visual(doc)] == [picture.size for picture in pictures]


def test_the_same_command_prints_the_same_folder_and_other_settings_another(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = []
    for style in ("letter", "json", "letter"):
        assert call("lmms-eval", "path", "--data", demo, "--split", "demo", "--style", style) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[2] != printed[1]
    assert Path(printed[0].strip()).is_dir()


def test_only_some_questions_are_written(demo: Path) -> None:
    assert {doc["part"] for doc in documents(folder(demo, tasks="animal"))} == {"animal"}
    assert len(documents(folder(demo, limit=5))) == 5


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"method": "rotate"}, "asks each question once"),
        ({"answer": "choose"}, "use --answer generate"),
        ({"shots": "1"}, "in one turn"),
        ({"media": "video"}, "use --media images"),
    ],
)
def test_what_lmms_eval_cannot_ask_is_refused(demo: Path, keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        folder(demo, **keywords)


def test_questions_without_right_answers_are_refused(demo: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(demo, bare)
    for path in bare.rglob("*answer*.json"):
        path.unlink()
    with pytest.raises(DataError, match="pass --answers FILE"):
        folder(bare)


def test_an_environment_without_lmms_eval_is_named(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho '{}'\n")
    python.chmod(0o755)
    words: list[str | Path] = ["--data", demo, "--split", "demo", "--output", tmp_path / "run", "--python", python]
    assert call("lmms-eval", "run", *words, "--model", "qwen3_vl") == 2
    assert f"the environment of {python} has no lmms_eval" in capsys.readouterr().err


def test_a_version_that_is_not_known_is_named_with_those_that_are(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    python.write_text("""#!/bin/sh\necho '{"lmms_eval": "0.9.1", "egocross_eval": "", "msgspec": ""}'\n""")
    python.chmod(0o755)
    words: list[str | Path] = ["--data", demo, "--split", "demo", "--output", tmp_path / "run", "--python", python]
    assert call("lmms-eval", "run", *words, "--model", "qwen3_vl") == 2
    assert "lmms-eval 0.9.1 isn't known here; known: 0.7.*" in capsys.readouterr().err


@pytest.mark.parametrize("program", ["true", "false", "echo"])
def test_a_program_that_is_no_python_is_refused(program: str) -> None:
    path = shutil.which(program)
    assert path is not None
    with pytest.raises(UsageError, match=f"--python {path}: it's no Python that works"):
        lmms_eval_environment(path)


@pytest.mark.parametrize("names", ["egocross", "egocross,egocross_animal", "egocross_*"])
def test_tasks_that_are_there_may_be_named(names: str, demo: Path) -> None:
    check_names(folder(demo, limit=24), names)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ("egocros", "there's no 'egocros' (did you mean 'egocross'"),
        ("egocross,egocross_animal", "there's no 'egocross_animal'"),
        ("egocross_x*", "there's no 'egocross_x*'"),
    ],
)
def test_tasks_without_a_chosen_question_are_refused_with_those_that_are_there(
    names: str, why: str, demo: Path
) -> None:
    with pytest.raises(UsageError) as refused:
        check_names(folder(demo, tasks="surgery"), names)
    assert why in str(refused.value)
    assert str(refused.value).endswith("; there are egocross, egocross_surgery")


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        (
            "\033[31mError during evaluation: out of memory. "
            "Please set `--verbosity=DEBUG` to get more information.\033[0m",
            "lmms-eval wrote no results (exit code 0): out of memory",
        ),
        (
            "\033[31mkilled\033[0m",
            "lmms-eval wrote no results (exit code 0); the end of what it printed:\n  loading\n  killed",
        ),
    ],
)
def test_why_lmms_eval_wrote_nothing_is_told_without_its_colours(printed: str, why: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho loading\ncat <<'END'\n{printed}\nEND\n")
    python.chmod(0o755)
    environment = Environment(python=str(python), version="0.7.3")
    with pytest.raises(RunError) as broken:
        run_lmms_eval(environment, tmp_path, "egocross", [], tmp_path / "logs", io.StringIO())
    assert str(broken.value) == why
