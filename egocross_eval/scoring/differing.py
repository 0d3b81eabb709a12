"""What two runs were asked differently."""

from __future__ import annotations

import msgspec

from egocross_eval.schema import NOT_KNOWN, RunRecord


class Differing(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in which two runs were made differently."""

    what: str
    first: str
    second: str


def differing(first: RunRecord, second: RunRecord) -> list[Differing]:
    """In which settings, questions, data and versions two runs were made differently. The model is meant to differ."""
    found = []
    before, after = _flat(first), _flat(second)
    for what in dict.fromkeys((*before, *after)):
        a, b = before.get(what, "–"), after.get(what, "–")
        if a != b:
            found.append(Differing(what=what, first=a, second=b))
    return found


def _flat(record: RunRecord) -> dict[str, str]:
    """Settings, questions, data files and our own version (which decides the parsing) by the name to show."""
    settings = record.settings
    # What is given beside a strategy shows in how the questions are asked.
    elsewhere = {"prompt", "generation", "ways", "given"}
    own = {name: getattr(settings, name) for name in settings.__struct_fields__ if name not in elsewhere}
    asked = {
        name: " or ".join(map(_text, values)) or NOT_KNOWN
        for name, values in settings.values().items()
        if name != "model"
    }
    shown: dict[str, object] = {name.replace("_", " "): value for name, value in (own | asked).items()}
    shown["questions"] = f"{record.question_count} ({record.questions_hash[:12]})"
    shown |= {f"file {name}": digest[:12] for name, digest in record.data_hashes.items()}
    shown |= {f"version of {name}": version for name, version in record.versions.items() if "egocross" in name}
    return {name: _text(value) for name, value in shown.items()}


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
