"""Imports between the packages point one way: each package imports only from those that stand before it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import egocross_eval

ROOT = Path(egocross_eval.__file__).parent

ORDER = (
    "version",
    "errors",
    "directories",
    "files",
    "documents",
    "natural_order",
    "counted",
    "visible",
    "reachable",
    "hanging",
    "nvidia",
    "frames",
    "settings",
    "command_options",
    "replies",
    "schema",
    "contracts",
    "reading",
    "prompts",
    "methods",
    "grading",
    "scoring",
    "model_adapters",
    "tasks",
    "runs",
    "combining",
    "leaderboard",
    "judging",
    "auditing",
    "api",
    "sweeps",
    "tuning",
    "testing",
    "training",
    "watching",
    "doctor",
    "interop",
    "cli",
)
"""Packages and modules at the top, from the ground up. docs/architecture.md says what each is for."""


def package_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def imported(path: Path) -> list[tuple[int, str]]:
    """(line, dotted name) of each import of our own, also within functions and for type checkers."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} is a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found += [(node.lineno, name) for name in names if name.startswith("egocross_eval.")]
    return found


MODULES = [path for path in sorted(ROOT.rglob("*.py")) if path.name != "__init__.py" or path.parent != ROOT]


def test_every_package_has_its_place() -> None:
    assert {package_of(path) for path in MODULES} - {"__main__"} <= set(ORDER)


@pytest.mark.parametrize("package", sorted({package_of(path) for path in MODULES} - {"__main__"}))
def test_a_package_imports_only_from_those_before_it(package: str) -> None:
    before = set(ORDER[: ORDER.index(package) + 1])
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in MODULES
        if package_of(path) == package
        for line, name in imported(path)
        if name.split(".")[1] not in before
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_outside_its_room_imports_egocross() -> None:
    """It is a plugin like any other: what others need of it, its registered tasks and declarations say."""
    wrong = []
    for path in MODULES:
        inside = path.relative_to(ROOT).parts[:2] == ("tasks", "egocross")
        if not inside and any(name.startswith("egocross_eval.tasks.egocross") for _, name in imported(path)):
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []
