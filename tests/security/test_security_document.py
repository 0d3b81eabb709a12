"""SECURITY.md names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(tests/[\w./]+)`", TEXT))))
def test_every_test_that_the_table_names_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_every_file_of_attacks_is_in_the_table() -> None:
    files = {f"tests/security/{path.name}" for path in Path(__file__).parent.glob("test_*_attacks.py")}
    assert files
    assert not [name for name in files if name not in TEXT]
