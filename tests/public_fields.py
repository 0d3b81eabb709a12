"""The page of every public struct's fields, made of the docstrings beside them: run this file to write it anew."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

import egocross_eval

PAGE = Path(__file__).parents[1] / "docs" / "fields.md"

GROUPS = {
    "What a task gives": (
        "Question",
        "Frame",
        "Questions",
        "Benchmark",
        "Grouping",
        "Task",
        "Target",
        "TrainingSplits",
    ),
    "What a task gets": ("DataSource",),
    "What an adapter gives": ("AdapterType", "Capabilities", "Response", "Failure", "Sent"),
    "What an adapter gets": (
        "Request",
        "Prompt",
        "Message",
        "TextPart",
        "ImagePart",
        "VideoPart",
        "GenerationSettings",
    ),
    "What a method gives": ("MethodType", "Ask", "Turn", "Decision"),
    "What a method gets": ("Answer", "Reading"),
    "What a grader gives": ("Grade",),
    "What a grader gets": ("JudgeSettings",),
    "Styles, exporters and verbs": ("PromptStyle", "StyledText", "Exporter", "TrackerType", "CommandType", "Reply"),
    "What an importer gives": ("Importer", "ForeignRun", "ForeignAnswer"),
    "What a run is": (
        "ExportedRun",
        "RunRecord",
        "RunSettings",
        "Imported",
        "Sample",
        "Results",
        "JudgeFigures",
        "Figure",
        "Row",
    ),
    "What an observer is told": ("Started", "Answered", "Warned", "Stopped", "Ended"),
    "How a run is asked": ("RunOptions", "DataOptions", "PromptSettings"),
}

BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}

INTRODUCTION = """# The fields of what plugins give and get

All are importable from `egocross_eval`, take keywords only and can't be changed once made (`msgspec.structs.replace`
copies one). A field without a default must be given. [How a run is asked](#how-a-run-is-asked) has the keywords of
`evaluate`.
"""


@functools.cache
def fields(struct: type[msgspec.Struct]) -> tuple[tuple[str, str, str, str], ...]:
    """Name, type, default and docstring of each field, as the source has them."""
    return tuple(_fields(struct))


def _fields(struct: type[msgspec.Struct]) -> Iterator[tuple[str, str, str, str]]:
    (found,) = ast.parse(inspect.getsource(struct)).body
    assert isinstance(found, ast.ClassDef)
    for line, after in zip(found.body, [*found.body[1:], None], strict=True):
        if isinstance(line, ast.AnnAssign):
            said = after.value if isinstance(after, ast.Expr) else None
            words = (
                inspect.cleandoc(said.value) if isinstance(said, ast.Constant) and isinstance(said.value, str) else ""
            )
            kind, option = _kind(line.annotation)
            yield ast.unparse(line.target), kind, _default(line.value), " ".join(f"{option} {words}".split())


def _kind(annotation: ast.expr) -> tuple[str, str]:
    """The type without what `Annotated` adds for the command line, and that in words."""
    if not (isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated"):
        return ast.unparse(annotation), ""
    assert isinstance(annotation.slice, ast.Tuple)
    kind, *added = annotation.slice.elts
    calls = [call for call in added if isinstance(call, ast.Call)]
    said = [ast.literal_eval(call.args[0]) for call in calls if call.args]
    bounds = [
        f"{BOUNDS[word.arg]} {ast.unparse(word.value)}"
        for call in calls
        for word in call.keywords
        if word.arg in BOUNDS
    ]
    return ast.unparse(kind), " ".join([*said, f"{'; '.join(bounds).capitalize()}." if bounds else ""])


def _default(value: ast.expr | None) -> str:
    return "" if value is None else ast.unparse(value)


def page() -> str:
    """The page's Markdown."""
    parts = [INTRODUCTION]
    for group, names in GROUPS.items():
        parts.append(f"## {group}\n")
        for name in names:
            parts.append(section(getattr(egocross_eval, name)))
    return "\n".join(parts)


def section(struct: type[msgspec.Struct]) -> str:
    """Heading, docstring and table of one struct."""
    rows = [
        f"| `{name}` | {_code(kind)} | {_code(default)} | {_cell(words)} |"
        for name, kind, default, words in fields(struct)
    ]
    table = ["| Field | Type | Default | |", "|---|---|---|---|", *rows] if rows else []
    return "\n".join([f"### {struct.__name__}\n", inspect.cleandoc(struct.__doc__ or ""), "", *table, ""])


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
