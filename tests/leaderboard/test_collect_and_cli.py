"""Leaderboards and comparisons of run folders, from the command line."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from scored_samples import question, record, sample, score_samples, whole_testbed, write_run

from egocross_eval import load_run
from egocross_eval.cli.verbs.compare import command as compare
from egocross_eval.cli.verbs.leaderboard import command as leaderboard
from egocross_eval.errors import UsageError
from egocross_eval.leaderboard.collect import rows_from
from egocross_eval.leaderboard.columns.about import ABOUT, MODEL, RANK
from egocross_eval.leaderboard.columns.efficiency import EFFICIENCY_COLUMNS
from egocross_eval.leaderboard.markers import END, START
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import Sample


def test_help_and_page_name_every_column() -> None:
    columns = {column.name for column in (RANK, MODEL, *EFFICIENCY_COLUMNS, *ABOUT)}
    (option,) = [one for one in leaderboard.params if one.name == "columns"]
    named = set(re.findall(r"[a-z-]+", getattr(option, "help", "")))
    assert columns - named == set()
    page = (Path(__file__).parents[2] / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    assert columns - set(re.findall(r"`([a-z-]+)`", page)) == set()


def samples_with(accuracy: float, seed: int = 0) -> list[Sample]:
    rng = random.Random(seed)
    return [sample(q, "right" if rng.random() < accuracy else "wrong") for q in whole_testbed()]


def finished(path: Path, lines: list[Sample], model: str = "some-model", **changes: object) -> RunFolder:
    """A run folder with results that carry the hash of its samples."""
    folder = write_run(path, record(model, **{"question_count": len(lines), **changes}), lines)
    folder.write_results(replace(score_samples(lines, total=len(lines)), samples_hash=folder.samples_hash()))
    return folder


def few(right: int, wrong: int) -> list[Sample]:
    return [sample(question(n), "right" if n < right else "wrong") for n in range(right + wrong)]


def run_cli(*arguments: object) -> str:
    command = compare if arguments[0] == "compare" else leaderboard
    result = CliRunner().invoke(command, [str(a) for a in arguments[1:]], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_run_folder_a_folder_of_runs_and_an_exported_file_give_rows(tmp_path: Path) -> None:
    finished(tmp_path / "runs" / "a", few(3, 1), "a")
    finished(tmp_path / "runs" / "b", few(2, 2), "b")
    (tmp_path / "runs" / "notes").mkdir()
    exported = tmp_path / "board.json"
    run_cli("leaderboard", tmp_path / "runs" / "a", "--format", "json", "--output", exported)
    assert [row.model for row in rows_from([tmp_path / "runs" / "b"])] == ["b"]
    assert [row.model for row in rows_from([tmp_path / "runs"])] == ["a", "b"]
    assert "a" in [row.model for row in rows_from([exported])]


def test_a_row_links_to_its_folder_as_seen_from_the_table(tmp_path: Path) -> None:
    finished(tmp_path / "runs" / "a", few(3, 1))
    (row,) = rows_from([tmp_path / "runs" / "a"], relative_to=tmp_path / "docs")
    assert row.link == "../runs/a"
    assert row.source == "a"


def test_an_exported_row_links_to_its_run_from_wherever_it_is_read_or_not_at_all(tmp_path: Path) -> None:
    finished(tmp_path / "runs" / "a", few(3, 1))
    exported = tmp_path / "boards" / "board.json"
    exported.parent.mkdir()
    run_cli("leaderboard", tmp_path / "runs" / "a", "--output", exported)
    (row, *published) = sorted(rows_from([exported], relative_to=tmp_path), key=lambda row: row.published)
    assert row.link == "runs/a"
    assert any(one.link.startswith("https://") for one in published)
    elsewhere = tmp_path / "mail" / "of" / "board.json"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_bytes(exported.read_bytes())
    assert [one.link for one in rows_from([elsewhere]) if not one.published] == [""]


def test_columns_are_chosen_on_the_command_line(tmp_path: Path) -> None:
    finished(tmp_path / "run", few(3, 1))
    text = run_cli("leaderboard", tmp_path / "run", "--no-published", "--columns", "model, micro,micro-interval")
    assert re.search(r"^\| Model +\| +Micro \| Micro, 95 % interval +\|$", text, re.MULTILINE)
    wrong = CliRunner().invoke(leaderboard, [str(tmp_path / "run"), "--columns", "mikro"])
    assert "did you mean 'micro'" in str(wrong.exception or wrong.output)


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no run: .* run\.json"):
        rows_from([tmp_path])
    with pytest.raises(UsageError, match="does not exist"):
        rows_from([tmp_path / "nowhere"])


def test_results_of_other_samples_are_not_believed_but_found_anew_with_a_warning(tmp_path: Path) -> None:
    folder = finished(tmp_path / "run", few(4, 4))
    path = tmp_path / "run" / "samples.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4]))
    # When files were written says nothing: a copy may have any times.
    os.utime(path, ns=(0, 0))
    with pytest.warns(UserWarning, match=r"results\.json is of other samples .* 'egocross-eval score "):
        results = load_run(tmp_path / "run").results
    assert not results.complete
    assert (results.counts["right"], results.counts["missing"], results.counts["total"]) == (4, 4, 8)
    assert results.samples_hash == folder.samples_hash()
    assert folder.results().complete
    with pytest.warns(UserWarning, match="other samples"):
        (row,) = rows_from([tmp_path / "run"])
    assert row.counts == results.counts


def test_samples_that_were_taken_away_leave_no_figures(tmp_path: Path) -> None:
    folder = finished(tmp_path / "run", few(3, 1))
    (tmp_path / "run" / "samples.jsonl").unlink()
    folder.write_results(replace(folder.results(), samples_hash=""))
    with pytest.warns(UserWarning, match="other samples"):
        results = load_run(tmp_path / "run").results
    assert (results.micro, results.counts["missing"]) == (None, 4)


def test_figures_that_contradict_their_counts_are_refused_wherever_a_run_is_read(tmp_path: Path) -> None:
    folder = finished(tmp_path / "run", few(2, 2))
    written = folder.results()
    assert written.micro is not None
    folder.write_results(replace(written, micro=replace(written.micro, accuracy=0.95, high=0.99)))
    for read in (lambda: load_run(tmp_path / "run").results, lambda: rows_from([tmp_path / "run"])):
        with pytest.raises(UsageError, match=r"run: its results can't be: .* accuracy .*; egocross-eval score finds"):
            read()


def test_results_of_the_samples_that_are_there_are_read_as_they_are(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    folder = finished(tmp_path / "run", few(3, 1))
    assert load_run(tmp_path / "run").results == folder.results()
    assert [str(one.message) for one in recwarn if one.category is UserWarning] == []


def test_a_run_without_results_is_scored_on_the_spot(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", record(question_count=4), few(3, 1))
    assert load_run(tmp_path / "run").results.counts["right"] == 3
    assert not folder.has_results()
    with pytest.raises(UsageError, match=r"run has no results\.json yet: 'egocross-eval score .*run' writes it"):
        folder.results()


def test_the_leaderboard_shows_runs_among_published_rows(tmp_path: Path) -> None:
    finished(tmp_path / "run", samples_with(0.5), "my-model")
    text = run_cli("leaderboard", tmp_path / "run", "--intervals")
    assert text.count("my-model") == 1
    assert "GPT-4.1 (published)" in text
    assert "±" in text
    assert "Interval (clustered): Wilson's, widened by how much the answers to questions on one source video" in text
    assert "Interval (assumed):" in text
    assert "GPT-4.1" not in run_cli("leaderboard", tmp_path / "run", "--no-published")
    exported = tmp_path / "board.json"
    run_cli("leaderboard", tmp_path / "run", "--output", exported)
    assert "GPT-4.1" not in run_cli("leaderboard", exported, "--no-published")


def test_filters_and_order_are_options(tmp_path: Path) -> None:
    for name, right in (("alpha", 1), ("beta", 3)):
        finished(tmp_path / "runs" / name, few(right, 4 - right), name)
    write_run(tmp_path / "runs" / "gamma", record("gamma", question_count=9), few(1, 3))
    table = run_cli("leaderboard", tmp_path / "runs", "--no-published", "--format", "csv", "--sort", "model")
    assert [(r["model"], r["rank"]) for r in csv.DictReader(io.StringIO(table))][:2] == [("alpha", "1"), ("beta", "1")]
    filters = ("--model", "*a", "--complete", "--split", "testbed")
    chosen = run_cli("leaderboard", tmp_path / "runs", "--format", "csv", *filters)
    assert {r["model"] for r in csv.DictReader(io.StringIO(chosen))} == {"alpha", "beta"}


def test_the_suffix_of_the_output_chooses_the_format(tmp_path: Path) -> None:
    finished(tmp_path / "run", few(3, 1))
    for suffix, start in (
        (".json", "{"),
        (".csv", "rank,"),
        (".tex", r"\begin{table*}"),
        (".html", "<!doctype html>"),
        (".md", "**"),
    ):
        path = tmp_path / f"board{suffix}"
        run_cli("leaderboard", tmp_path / "run", "--output", path)
        assert path.read_text().startswith(start)


def test_the_table_between_markers_of_a_file_is_replaced(tmp_path: Path) -> None:
    finished(tmp_path / "runs" / "a", few(3, 1), "my-model")
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{START}\n{END}\nafter\n")
    run_cli("leaderboard", tmp_path / "runs", "--update", readme)
    text = readme.read_text()
    assert text.startswith(f"before\n{START}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "[a](runs/a)" in text


def test_contradicting_options_are_refused(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("")
    for arguments in (["--intervals", "--ranges"], ["--update", str(readme), "--format", "csv"]):
        assert CliRunner().invoke(leaderboard, arguments).exit_code == 2


def test_published_rows_alone_need_no_run() -> None:
    assert "Qwen3-VL-4B baseline (published)" in run_cli("leaderboard")


def test_two_runs_are_compared_with_sentence_tables_and_flips(tmp_path: Path) -> None:
    finished(tmp_path / "a", samples_with(0.45, 1), "base")
    finished(tmp_path / "b", samples_with(0.60, 2), "tuned", prompt={"frames": "uniform:8"})
    text = run_cli("compare", tmp_path / "a", tmp_path / "b", "--flips", "2")
    assert "tuned is better than base: 16.3 points more (" in text
    assert "by flipping the runs source video by source video" in text
    assert "| frames" in text
    for name in ("all (micro)", "all (macro)", "animal", "surgery", "object counting"):
        assert f"| {name} " in text
    assert "Right only in tuned: " in text
    assert " more (--flips)" in text


def test_a_comparison_as_json_has_numbers_and_the_names_of_the_flips(tmp_path: Path) -> None:
    finished(tmp_path / "a", few(2, 2), "same")
    finished(tmp_path / "b", few(3, 1), "same")
    (found,) = json.loads(run_cli("compare", tmp_path / "a", tmp_path / "b", "--format", "json"))
    assert (found["first"], found["second"]) == ("same (a)", "same (b)")
    assert found["gained"] == ["EgoPet_v2_q2"]
    assert found["micro"]["difference"] == 0.25
    assert found["sentence"].startswith("Too few source videos to tell (4 source videos): same (b) has 25.0 points")
    assert found["verdict"] == "too few"


@pytest.mark.parametrize("command", [leaderboard, compare])
def test_help_shows_an_example(command: object) -> None:
    result = CliRunner().invoke(command, ["--help"])  # type: ignore[arg-type]
    assert "egocross-eval " in result.output
