"""What runs inside the training environment gets along with what that environment's lock holds."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import egocross_eval.training.inside
from egocross_eval.training.environment import lock_file

ROOM = Path(egocross_eval.training.inside.__file__).parent

IMPORT = """
import importlib, json, sys
refused, wanted = json.loads(sys.argv[1])

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
for name in wanted:
    importlib.import_module(name)
"""


def ours_alone() -> list[str]:
    """Packages that egocross-eval requires and the lock lacks."""
    project = tomllib.loads((ROOM.parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = set(re.findall(r"^([a-z0-9._-]+)==", lock_file().read_text(encoding="utf-8"), re.MULTILINE))
    names = (re.split(r"[>=<\[]", text)[0] for text in project["dependencies"])
    return [name for name in names if name.replace("_", "-") not in locked]


def imported(module: Path) -> Iterator[str]:
    """The modules of this package that a module imports, those within functions too."""
    yield f"egocross_eval.training.inside.{module.stem}"
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("egocross_eval."):
            yield str(node.module)


@pytest.mark.parametrize("module", sorted(ROOM.glob("*.py")), ids=lambda path: path.stem)
def test_it_imports_nothing_that_the_lock_lacks(module: Path) -> None:
    refused = ours_alone()
    assert "tabulate" in refused
    wanted = [name.removesuffix(".__init__") for name in imported(module)]
    command = [sys.executable, "-c", IMPORT, json.dumps([refused, wanted])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
