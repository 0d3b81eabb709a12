"""JSON schemas of the files that people exchange and of what verbs print for programs, made of the types that read and
write them: run this file to write them anew."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from public_fields import fields
from verb_tree import reply_types, verbs

from egocross_eval import Results, RunRecord, Sample
from egocross_eval.cli.show.events import Line
from egocross_eval.leaderboard.rows import RowFile
from egocross_eval.replies import Fault
from egocross_eval.scoring.predictions_file import PredictionEntry
from egocross_eval.tasks.egocross.answers_file import AnswerRecord

FOLDER = Path(__file__).parents[1] / "docs" / "reference"

FILES: dict[str, tuple[Any, str]] = {
    "run": (RunRecord, "`run.json` of a run folder"),
    "sample": (Sample, "a line of `samples.jsonl`"),
    "results": (Results, "`results.json` of a run folder"),
    "rows": (RowFile, "a file of rows, which `leaderboard --format json` writes"),
    "predictions": (list[PredictionEntry], "a predictions file, and the list within a submission"),
    "event": (Line, "a line that `run --events` and `sweep --events` print"),
    "fault": (Fault, "what a verb prints by `--format json` where it can't do what it was asked"),
    "answers": (list[AnswerRecord], "a file of right answers"),
}
"""By name: the type, and what has it."""

HEAD = """# Schemas

JSON schemas, made of the types that read and write what they are of. Fields at their default may be left out.

## Files

[Files](../run-folder.md) says what they mean.

| schema | of |
|---|---|
"""

VERBS_HEAD = """
## What verbs print by `--format json`

[Scripts and agents](../scripts.md) says how they are used.

| verb | schema |
|---|---|
"""


def schema(kinds: Sequence[Any]) -> dict[str, Any]:
    """The schema of a document that has one of the types, with the docstrings of their fields."""
    found, components = msgspec.json.schema_components(kinds, schema_hook=_path, ref_template="#/$defs/{name}")
    structs = {kind.__name__: kind for kind in _structs(msgspec.inspect.multi_type_info(kinds))}
    for name, part in components.items():
        for field, words in _described(structs[name]) if name in structs else ():
            part["properties"][field].setdefault("description", words)
    (one, *more) = found
    return {**({"anyOf": list(found)} if more else one), **({"$defs": components} if components else {})}


@functools.cache
def texts() -> dict[str, str]:
    """By file name below `FOLDER`, what it holds."""
    written = {f"schemas/{name}.schema.json": _text((kind,)) for name, (kind, _) in FILES.items()}
    page = HEAD + "".join(
        f"| [{name}.schema.json](schemas/{name}.schema.json) | {what} |\n" for name, (_, what) in FILES.items()
    )
    page += VERBS_HEAD
    for verb, command in verbs():
        if kinds := reply_types(command):
            written[file := schema_file(verb)] = _text(kinds)
            page += f"| `{verb}` | [{Path(file).name}]({file}) |\n"
    return {**written, "schemas.md": page}


def schema_file(verb: str) -> str:
    """Where the schema of what a verb prints lies, below `FOLDER`."""
    return f"schemas/verbs/{verb.replace(' ', '-')}.schema.json"


def _text(kinds: Sequence[Any]) -> str:
    return json.dumps(schema(kinds), indent=1, sort_keys=True) + "\n"


def _path(kind: type[Any]) -> dict[str, Any]:
    if issubclass(kind, Path):
        return {"type": "string"}
    raise NotImplementedError(kind)


def _structs(value: Any) -> Iterator[type[Any]]:
    """Every struct within types that were inspected."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, msgspec.inspect.StructType | msgspec.inspect.DataclassType):
            yield one.cls
        if isinstance(one, msgspec.inspect.Type | msgspec.inspect.Field):
            waiting += [getattr(one, name) for name in one.__struct_fields__]
        elif isinstance(one, tuple | list):
            waiting += one


def _described(kind: type[Any]) -> Iterator[tuple[str, str]]:
    """The docstrings of a struct's fields, inherited ones too, by the names that they are written under."""
    for owner in kind.__mro__:
        if owner.__module__.startswith("egocross_eval"):
            for name, _, _, words in fields(owner):
                if words:
                    yield name, words


if __name__ == "__main__":
    made = texts()
    for old in (FOLDER / "schemas").rglob("*.schema.json"):
        old.unlink()
    for name, text in made.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(text, encoding="utf-8")
