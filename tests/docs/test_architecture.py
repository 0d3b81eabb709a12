"""docs/architecture.md names files that exist and packages in the order that the imports have."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

sys.path.insert(0, str(ROOT / "tests"))  # where the order is held
from test_imports import MODULES, imported, package_of  # noqa: E402


def test_every_file_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:egocross_eval|tests)/[\w./]+)`", PAGE))
    assert len(named) > 15
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_a_package_imports_only_from_those_above_it_in_the_table() -> None:
    table = PAGE.partition("## Packages")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    rows = {name: number for number, cell in enumerate(cells) for name in re.findall(r"`(\w+)/?`", cell)}
    modules = [path for path in MODULES if package_of(path) != "__main__"]
    assert set(rows) == {package_of(path) for path in modules}
    wrong = [
        f"{path.name}:{line} imports {name}"
        for path in modules
        for line, name in imported(path)
        if rows[name.split(".")[1]] > rows[package_of(path)]
    ]
    assert wrong == []
