"""What can be imported from `egocross_eval`, and stays so: what users and plugin authors write is built on it."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import egocross_eval
from egocross_eval import RunKeywords
from egocross_eval.runs.options import all_options

PUBLIC = {
    "AdapterType",
    "Answer",
    "Answered",
    "Ask",
    "Benchmark",
    "Capabilities",
    "CommandType",
    "DataError",
    "DataOptions",
    "DataSource",
    "Decision",
    "EGOCROSS",
    "EGOCROSS_OPEN",
    "EgoCrossError",
    "Ended",
    "Event",
    "ExportedRun",
    "Exporter",
    "Failure",
    "Figure",
    "ForeignAnswer",
    "ForeignRun",
    "Frame",
    "GenerationSettings",
    "Grade",
    "Grader",
    "Grouping",
    "ImagePart",
    "Imported",
    "Importer",
    "JudgeFigures",
    "JudgeKeywords",
    "JudgeSettings",
    "LetterGrader",
    "Message",
    "Method",
    "MethodType",
    "MissingExtraError",
    "ModelAdapter",
    "NEUTRAL",
    "Once",
    "PASSED_ON",
    "TYPED",
    "Prompt",
    "PromptSettings",
    "PromptStyle",
    "Question",
    "Questions",
    "Reading",
    "Reply",
    "Request",
    "Response",
    "Results",
    "Row",
    "Run",
    "RunError",
    "RunKeywords",
    "RunOptions",
    "RunRecord",
    "RunSettings",
    "Sample",
    "Sent",
    "Started",
    "Stopped",
    "StyledText",
    "Target",
    "Task",
    "TextPart",
    "TrackerType",
    "TrainingSplits",
    "Turn",
    "UsageError",
    "VideoPart",
    "Warned",
    "__version__",
    "decide",
    "evaluate",
    "export_run",
    "extract",
    "hookimpl",
    "judge",
    "load_run",
    "option",
    "options_of_settings",
    "plain_decision",
    "read_egocross",
    "replying",
    "run",
}
"""A name that goes, or means another thing, breaks the programs of others: say so in the changelog."""

DOCUMENTED = sorted(
    name for name in PUBLIC if inspect.isroutine(found := getattr(egocross_eval, name)) or inspect.isclass(found)
)


def imported_for_type_checkers() -> dict[str, str]:
    """Module by name, as the block under `TYPE_CHECKING` imports them."""
    module = ast.parse(Path(egocross_eval.__file__).read_text(encoding="utf-8"))
    block = next(node for node in module.body if isinstance(node, ast.If))
    return {
        alias.name: f"{node.module}" for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def public_members(kind: type) -> Iterator[tuple[str, object]]:
    """The functions and properties that a class defines itself, without the private ones."""
    for name, member in vars(kind).items():
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            yield name, member


def test_the_public_names_are_these() -> None:
    assert set(egocross_eval.__all__) == PUBLIC
    assert len(egocross_eval.__all__) == len(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_public_name_can_be_imported(name: str) -> None:
    assert getattr(egocross_eval, name) is not None


def test_type_checkers_see_what_is_imported() -> None:
    assert imported_for_type_checkers() == egocross_eval._MODULES
    assert set(egocross_eval._MODULES) | {"__version__"} == PUBLIC


def test_dir_shows_the_public_names() -> None:
    assert set(dir(egocross_eval)) >= PUBLIC


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'egocross_eval' has no attribute 'evalaute'"):
        egocross_eval.evalaute  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_imports_nothing_but_its_version() -> None:
    code = "import sys; before = set(sys.modules); import egocross_eval; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    others = {name for name in done.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names}
    assert others == {"egocross_eval", "egocross_eval.version"}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_what_is_public_says_what_it_is(name: str) -> None:
    found = getattr(egocross_eval, name)
    assert vars(found).get("__doc__") if inspect.isclass(found) else found.__doc__
    if inspect.isclass(found):
        silent = [member for member, value in public_members(found) if not inspect.getdoc(value)]
        assert silent == []


def test_keywords_of_a_run_are_its_options() -> None:
    """They are repeated for type checkers; `tasks` is an argument of its own."""
    hints = typing.get_type_hints(RunKeywords)
    known = {name: found for name, (_, found) in all_options().items() if name != "tasks"}
    options = {name: found.type for name, found in known.items()}
    assert set(hints) == set(options)
    for name, kind in options.items():
        # What names a file may be text here.
        wanted = kind | str if Path in typing.get_args(kind) else kind
        if known[name].repeatable:
            wanted = str | Sequence[str]
        if known[name].joined:
            wanted = wanted | Sequence[Path | str]
        assert hints[name] == wanted, name
