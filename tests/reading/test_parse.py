"""The parse verb."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from egocross_eval.cli.verbs.parse import command
from egocross_eval.errors import UsageError
from egocross_eval.reading.cases import cases


def _run(*arguments: str, text: str | None = None) -> str:
    result = CliRunner().invoke(command, list(arguments), input=text, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_help_shows_an_example() -> None:
    assert 'egocross-eval parse "' in _run("--help")


def test_a_text_gives_letter_rule_and_the_marked_place() -> None:
    output = _run("I looked twice.\nThe answer is (B).", "--option", "A=dog", "--option", "B=cat")
    assert "letter  B" in output
    assert "rule    statement" in output
    assert "The answer is (»B«)." in output


def test_an_abstention_says_why() -> None:
    assert "several_letters: the output names more than one option" in _run("A or B")


def test_standard_input_and_json() -> None:
    found = json.loads(_run("-", "--format", "json", "--letters", "ABC", text="答案：C"))
    assert found == {"letter": "C", "rule": "statement", "span": [3, 4], "reason": None}


def test_rules_are_listed() -> None:
    output = _run("--rules")
    assert "json_field" in output
    assert "unfinished_thinking" in output


def test_a_file_of_outputs_is_read_line_by_line(tmp_path: Path) -> None:
    source, target = tmp_path / "outputs.jsonl", tmp_path / "letters.jsonl"
    rows = [
        {"output": "B", "options": {"A": "dog", "B": "cat"}},
        {"output": "answer: e", "options": None, "letters": ["A", "B", "E"]},
        {"output": None, "letters": "AB"},
        {"output": "none of the above", "options": {"A": "dog", "B": "cat"}, "letters": "AB", "id": 7},
    ]
    source.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", encoding="utf-8")
    _run("--jsonl", str(source), "--output", str(target))
    found = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [each["letter"] for each in found] == ["B", "E", None, None]
    assert [each["reason"] for each in found] == [None, None, "empty", "refusal"]
    assert found[0] == {"letter": "B", "rule": "whole_output", "span": [0, 1], "reason": None}


def test_the_conformance_cases_go_through_the_file_reader(tmp_path: Path) -> None:
    source = tmp_path / "cases.jsonl"
    rows = cases()
    source.write_text(
        "".join(json.dumps({"output": c.output, "options": c.options, "letters": c.letters}) + "\n" for c in rows),
        encoding="utf-8",
    )
    found = [json.loads(line)["letter"] for line in _run("--jsonl", str(source)).splitlines()]
    assert found == [case.letter for case in rows]


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"options": {"A": "x"}}', '{"output": 5}', '{"output": "A", "letters": "AA"}'],
)
def test_a_bad_line_is_named_with_file_and_number(tmp_path: Path, line: str) -> None:
    source, target = tmp_path / "outputs.jsonl", tmp_path / "letters.jsonl"
    source.write_text('{"output": "A", "letters": "AB"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"outputs\.jsonl, line 2( is no valid JSON)?: "):
        _run("--jsonl", str(source), "--output", str(target))
    assert not target.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["A", "--rules"],
        ["A", "--option", "A"],
        ["A", "--option", "AB=x"],
        ["A", "--letters", "A1"],
        ["A", "--output", "x"],
    ],
)
def test_wrong_usage_is_refused_with_a_remedy(arguments: list[str]) -> None:
    with pytest.raises(UsageError, match=r"--|needs"):
        _run(*arguments)
