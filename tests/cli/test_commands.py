"""The command line as a user meets it: verbs, exit codes, messages, start-up."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from calling import call
from replied import document

from egocross_eval.cli.main import VERBS
from egocross_eval.runs.store import RunFolder


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--help") == 0
    shown = capsys.readouterr().out
    assert all(f"  {verb} " in shown for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_answers_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(verb, "--help") == 0
    shown = capsys.readouterr().out
    assert "egocross-eval " + ("--model" if verb == "run" else verb) in shown.partition("Options:")[0]


def test_an_unknown_verb_is_answered_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("leadrboard") == 2
    assert "did you mean 'leaderboard'" in capsys.readouterr().err


def test_a_run_ends_with_a_table_and_the_place_of_its_folder(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run"
    assert call("--model", "baseline:longest", "--data", demo, "--output", output) == 0
    shown = capsys.readouterr().out
    assert "baseline:longest" in shown
    assert f"run folder: {output}" in shown


def test_several_models_share_an_output_folder(demo: Path, tmp_path: Path) -> None:
    output = tmp_path / "runs"
    models = ["--model", "baseline:longest", "--model", "baseline:constant,letter=B"]
    assert call(*models, "--data", demo, "--output", output) == 0
    assert len([path for path in output.iterdir() if RunFolder(path).exists()]) == 2


def test_a_default_output_folder_is_named_after_model_and_tasks(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EGOCROSS_DATA", str(demo))
    assert call("--model", "baseline:longest", "--tasks", "animal,surgery") == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("baseline-longest-animal-surgery-")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model", "baseline:chance", "--tasks", "anmal"], "did you mean 'animal'"),
        (["--model", "baselin:chance"], "did you mean 'baseline'"),
        (["--model", "baseline:chanc"], "did you mean 'chance'"),
        (["--model", "baseline:chance", "--style", "leter"], "did you mean 'letter'"),
        (["--model", "baseline:chance", "--frames", "many"], "uniform:N"),
        (["--model", "baseline:chance", "--data", "no-such-folder"], "no-such-folder"),
        (["--model", "baseline:chance", "--limit", "0"], "--limit 0"),
        (["--model", "baseline:chance", "--max-new-tokens", "0"], "--max-new-tokens 0"),
        (["--tasks", "all"], "--model"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_wrong(
    arguments: list[str], says: str, demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EGOCROSS_DATA", str(demo))
    assert call(*arguments) == 2
    assert says in capsys.readouterr().err


def test_without_data_the_message_names_the_option_the_variable_and_the_demo(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("--model", "baseline:chance") == 2
    shown = capsys.readouterr().err
    assert "--data" in shown
    assert "EGOCROSS_DATA" in shown
    assert "--split demo" in shown


def test_a_config_file_gives_the_options_and_the_command_line_wins(demo: Path, tmp_path: Path) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text(f"model: baseline:longest\ndata: {demo}\ntasks: animal\nlimit: 5\nmax-new-tokens: 7\n")
    output = tmp_path / "run"
    assert call("--config", config, "--limit", "3", "--output", output) == 0
    record = RunFolder(output).record()
    assert record.question_count == 3
    assert record.settings.tasks == ("animal",)
    assert record.settings.generation.max_new_tokens == 7


def test_a_config_file_with_an_unknown_option_is_refused_with_a_suggestion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text("limit: 3\nmodell: baseline:longest\n")
    assert call("--config", config) == 2
    assert "settings.yaml, line 2: unknown option 'modell' (did you mean 'model'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("limit: true\n", "limit"),
        ("temperature: [1, 2]\n", "temperature"),
        ("limit: 3\nlimit: 4\n", "line 2: 'limit' is there twice"),
        ("max-pixels: 3\nmax_pixels: 4\n", "line 2: 'max_pixels' is there twice"),
        ("- a\n", "mapping"),
        ("dry-run: 3\n", "true or false"),
    ],
)
def test_a_config_value_of_the_wrong_form_is_named(
    content: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text(content)
    assert call("--config", config, "--model", "baseline:chance") == 2
    assert says in capsys.readouterr().err


def test_a_config_file_takes_the_names_of_the_options_and_lists(demo: Path, tmp_path: Path) -> None:
    answers = demo / "egocross_testbed" / "egocross_testbed_answers.json"
    config = tmp_path / "settings.yaml"
    config.write_text(
        f"model: [baseline:longest]\ndata: {demo}\ntasks: [animal, surgery]\nanswers: {answers}\ncache: false\n"
    )
    assert call("--config", config, "--output", tmp_path / "run") == 0
    assert RunFolder(tmp_path / "run").record().settings.tasks == ("animal", "surgery")


def test_a_dry_run_counts_every_vote(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command: list[str | Path] = ["--model", "openai:any", "--data", demo, "--limit", "5", "--dry-run"]
    assert call(*command) == 0
    once = capsys.readouterr().out
    assert call(*command, "--method", "rotate") == 0
    rotated = capsys.readouterr().out
    frames = [int(text.partition("frames     ")[2].partition(" ")[0]) for text in (once, rotated)]
    assert frames[1] == 4 * frames[0]
    assert "requests   20" in rotated


def test_a_dry_run_says_what_later_rounds_may_take(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command: list[str | Path] = ["--model", "openai:any", "--data", demo, "--limit", "5", "--dry-run"]
    assert call(*command, "--method", "roles") == 0
    said = capsys.readouterr().out
    assert "requests   5 in the first round, at most 25 in all" in said
    found = re.search(
        r"tokens +about ([\d,]+) in \(.*, the first round alone; some ([\d,]+) if all that may follow", said
    )
    assert found is not None
    first, most = (int(number.replace(",", "")) for number in found.groups())
    assert most == pytest.approx(5 * first, abs=5 * 5)
    assert call(*command, "--method", "pairwise", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["estimate"]["most_tokens"] == pytest.approx(told["tokens"], abs=5)


def test_several_models_end_with_one_leaderboard(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ["--model", "baseline:longest", "--model", "baseline:constant,letter=B"]
    assert call(*models, "--data", demo, "--output", tmp_path / "runs") == 0
    board = capsys.readouterr().out.partition("all 2 models:")[2]
    assert "baseline:longest" in board
    assert "baseline:constant" in board


def test_a_damaged_run_among_others_is_named_and_left_out(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ["--model", "baseline:longest", "--model", "baseline:constant,letter=B"]
    call(*models, "--data", demo, "--output", tmp_path / "runs")
    damaged = sorted((tmp_path / "runs").iterdir())[0]
    (damaged / "run.json").write_text("{")
    capsys.readouterr()
    assert call("leaderboard", tmp_path / "runs", "--no-published") == 0
    shown = capsys.readouterr()
    assert "baseline:longest" in shown.out
    assert "baseline:constant" not in shown.out
    assert f"left out: {damaged}" in shown.err


def test_a_copy_of_a_run_is_no_repetition(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        call("--model", "baseline:chance", "--data", demo, "--output", tmp_path / "runs" / name)
    capsys.readouterr()
    assert call("leaderboard", tmp_path / "runs", "--no-published") == 0
    assert "mean of 2" not in capsys.readouterr().out


def test_a_table_is_not_written_under_an_unknown_suffix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("leaderboard", "--output", tmp_path / "board.pdf") == 2
    assert "no format for .pdf" in capsys.readouterr().err


def test_answers_that_fit_no_question_of_the_run_are_refused(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("--model", "baseline:longest", "--data", demo, "--output", tmp_path / "run")
    answers = json.loads((demo / "egocross_testbed" / "egocross_testbed_answers.json").read_text())
    other = tmp_path / "other.json"
    other.write_text(json.dumps([{**a, "question_id": "x" + a["question_id"]} for a in answers]))
    capsys.readouterr()
    assert call("score", tmp_path / "run", "--answers", other) == 2
    assert "answers none of the run's" in capsys.readouterr().err
    half = tmp_path / "half.json"
    half.write_text(json.dumps(answers[:50]))
    assert call("score", tmp_path / "run", "--answers", half) == 0
    assert f"answers 50 of {len(answers)} questions" in capsys.readouterr().err


def test_an_audit_of_a_run_without_answers_has_no_score(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = "openai:none,base_url=http://127.0.0.1:9/v1,max_retries=0"
    assert call("--model", model, "--data", demo, "--limit", "5", "--output", tmp_path / "run") == 1
    capsys.readouterr()
    assert call("audit", tmp_path / "run", "--no-run") == 1
    shown = capsys.readouterr().out
    assert "no score" in shown
    assert "0.00%" not in shown


def test_a_dry_run_counts_and_writes_nothing(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("--model", "openai:any", "--data", demo, "--dry-run") == 0
    shown = capsys.readouterr().out
    questions = json.loads((demo / "egocross_testbed" / "egocross_testbed_imgs.json").read_text())
    frames = sum(len(question["video_path"]) for question in questions)
    assert f"questions  {len(questions)}\n" in shown
    assert f"frames     {frames} " in shown
    assert list(tmp_path.iterdir()) == []


def test_tasks_are_listed_with_their_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("tasks", "--format", "json") == 0
    counts = {row["name"]: row["counts"] for row in json.loads(capsys.readouterr().out)}
    assert counts["all"] == {"testbed": 957, "support": 80}
    assert [counts[d]["testbed"] for d in ("animal", "industry", "xsports", "surgery")] == [183, 245, 246, 283]
    assert sum(counts[c]["testbed"] for c in ("counting", "identification", "localization", "prediction")) == 957


def test_task_globs_select_and_counts_come_from_the_data(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("tasks", "*-localization", "--data", demo, "--format", "json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in rows if row["benchmark"] == "egocross"} == {
        "action-temporal-localization",
        "interaction-temporal-localization",
        "object-spatial-localization",
    }
    assert all(row["counts"]["testbed"] > 0 for row in rows)


def test_tasks_are_counted_in_the_data_of_the_environment(
    demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EGOCROSS_DATA", str(demo))
    assert call("tasks", "animal", "--format", "json") == 0
    assert [row["counts"] for row in json.loads(capsys.readouterr().out)] == [{"testbed": 12}]
    monkeypatch.setenv("EGOCROSS_DATA", str(demo / "nowhere"))
    assert call("tasks", "animal,surgery") == 0
    assert capsys.readouterr().err.count("is not a folder") == 1


def test_show_prints_what_would_be_sent(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.png"
    assert call("show", "5", "--data", demo, "--timestamps", "--frames", "uniform:2", "--draw", "--output", sheet) == 0
    shown = capsys.readouterr().out
    assert shown.count("<image>") == 2
    assert "seconds>" in shown
    assert "▀" in shown
    from PIL import Image

    assert Image.open(sheet).width > 100


def test_show_suggests_for_an_unknown_question(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("show", "EgoPet_nothing", "--data", demo) == 2
    assert "no question 'EgoPet_nothing'" in capsys.readouterr().err


def test_a_run_and_its_predictions_file_score_alike(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run"
    call("--model", "baseline:chance", "--data", demo, "--output", output)
    capsys.readouterr()
    assert call("score", output, "--format", "json") == 0
    from_run = json.loads(capsys.readouterr().out)
    assert call("score", output / "predictions.json", "--data", demo, "--format", "json") == 0
    from_file = json.loads(capsys.readouterr().out)
    assert from_run["micro"] == from_file["micro"]
    assert from_run["groups"] == from_file["groups"]


def test_a_run_without_answers_is_scored_with_an_answers_file(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = demo / "egocross_testbed" / "egocross_testbed_imgs.json"
    answers = demo / "egocross_testbed" / "egocross_testbed_answers.json"
    hidden = tmp_path / "data"
    hidden.mkdir()
    (hidden / questions.name).write_bytes(questions.read_bytes())
    (hidden / "egocross_testbed").mkdir()
    for dataset in (demo / "egocross_testbed").iterdir():
        if dataset.is_dir():
            (hidden / "egocross_testbed" / dataset.name).mkdir()
    output = tmp_path / "run"
    assert call("--model", "baseline:longest", "--data", hidden, "--output", output) == 0
    assert "answers are not known here" in capsys.readouterr().out
    assert call("score", output, "--answers", answers) == 0
    assert "micro" in capsys.readouterr().out


def test_a_submission_is_refused_for_a_part_of_the_testbed(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run"
    call("--model", "baseline:longest", "--data", demo, "--output", output)
    assert call("submit", output) == 2
    assert "957" in capsys.readouterr().err
    assert not (output / "submission.zip").exists()


def test_the_real_testbed_is_run_and_submitted(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (root / "egocross_testbed_imgs.json").symlink_to(shared_data / "egocross_testbed_imgs.json")
    output = tmp_path / "run"
    assert call("--model", "baseline:position", "--data", root, "--output", output) == 0
    capsys.readouterr()
    assert call("submit", output, "--format", "json") == 0
    assert "submission.zip" in document("submit", capsys.readouterr().out)["message"]
    with zipfile.ZipFile(output / "submission.zip") as archive:
        entries = json.loads(archive.read("predictions.json"))
    template = json.loads((shared_data / "submission_template.json").read_text())
    assert [{**entry, "answer": ""} for entry in entries] == template
    assert {entry["answer"] for entry in entries} <= set("ABCD")


def test_models_show_lists_the_options_of_an_adapter(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("models") == 0
    assert "baseline:" in capsys.readouterr().out
    assert call("models", "show", "openai") == 0
    assert "base_url" in capsys.readouterr().out


HEAVY = ("numpy", "torch", "transformers", "datasets", "scipy", "PIL", "aiohttp", "rich", "pandas")


@pytest.mark.parametrize(
    "code",
    [
        "import egocross_eval",
        "from egocross_eval import evaluate",
        "from egocross_eval.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass",
        "from egocross_eval.cli.main import main\ntry: main(['tasks'])\nexcept SystemExit: pass",
        "from egocross_eval.cli.main import main\ntry: main(['models'])\nexcept SystemExit: pass",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(code: str) -> None:
    check = f"{code}\nimport sys\nprint('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m egocross_eval tasks | head -1", shell=True, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
