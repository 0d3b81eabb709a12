"""What a verb printed for programs, held against its published schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from public_schemas import FOLDER, schema_file


def document(verb: str, printed: str) -> Any:
    """The one document in what was printed. Fields that the schema doesn't name are faults too."""
    return _checked(FOLDER / schema_file(verb), printed)


def fault(printed: str) -> Any:
    """The document in the place of a reply."""
    return _checked(FOLDER / "schemas" / "fault.schema.json", printed)


def _checked(path: Path, printed: str) -> Any:
    found = json.loads(printed)
    schema = json.loads(path.read_text(encoding="utf-8"))
    for part in schema.get("$defs", {}).values():
        if "properties" in part:
            part.setdefault("additionalProperties", False)
    Draft202012Validator(schema).validate(found)
    return found
