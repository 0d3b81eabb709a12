"""docs/fields.md says of every public struct what the source says."""

from __future__ import annotations

import msgspec
from public_fields import GROUPS, PAGE, page

import egocross_eval


def test_the_page_is_as_the_source_has_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run tests/public_fields.py"


def test_every_public_struct_is_on_the_page() -> None:
    shown = {name for names in GROUPS.values() for name in names}
    public = {
        name
        for name in egocross_eval.__all__
        if isinstance(found := getattr(egocross_eval, name), type) and issubclass(found, msgspec.Struct)
    }
    assert public == shown
