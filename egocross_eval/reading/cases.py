"""The conformance cases: outputs with the letter that must be read from them, for this reader and any other."""

from __future__ import annotations

from importlib.resources import files

import msgspec


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One case: `letter` is what the output says; None where a reader must abstain."""

    name: str
    output: str
    options: dict[str, str]
    letters: str
    letter: str | None


def cases() -> list[Case]:
    """All cases of `cases.jsonl`, in its order."""
    data = files(__package__).joinpath("cases.jsonl").read_bytes()
    return [msgspec.json.decode(line, type=Case) for line in data.splitlines()]
