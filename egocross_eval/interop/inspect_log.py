"""Reads logs of Inspect (inspect-ai): `.eval` archives, also those compressed by Zstandard, and `.json` files."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from egocross_eval.contracts.importer import ForeignAnswer, ForeignRun
from egocross_eval.documents import cited
from egocross_eval.errors import DataError
from egocross_eval.files import read_bytes
from egocross_eval.interop.importing.entries import (
    count,
    log_entry,
    log_file,
    message_text,
    needed,
    optional,
    question_name,
)
from egocross_eval.interop.importing.glimpse import glimpse
from egocross_eval.interop.importing.options import listed_options, told_target
from egocross_eval.schema import Failure

FORMS = (2,)
"""Versions of the log's form that are known."""

_MEMBERS = frozenset(("header.json", "_journal/start.json"))
"""What the archive of a run that ended holds, and that of one that goes on or broke."""

_LARGEST = 2**28
"""Most bytes of one member of an archive."""

_ZSTANDARD = 93
"""Compression method of a zip member (APPNOTE 4.4.5) that `zipfile` can't read before Python 3.14."""

_RIGHT = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
"""Inspect's letters for correct, incorrect, partial and no answer."""


def recognises(path: Path) -> bool:
    """Whether a file is an archive with a header or JSON with the fields of Inspect's logs, whole or damaged, or a
    folder holds such files."""
    if path.is_dir():
        return bool(_logs_in(path))
    seen = glimpse(path)
    if seen.kind == "mapping":
        return seen.has("version", "status", "eval")
    return bool(seen.names & _MEMBERS) or (path.suffix == ".eval" and not seen.names)


def _logs_in(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix in (".eval", ".json") and recognises(path)]


def _log(path: Path) -> Path:
    """The file, or the one log that a folder holds. Raises `DataError` where it isn't one."""
    if not path.is_dir():
        return path
    logs = _logs_in(path)
    if len(logs) != 1:
        which = f": name one, e.g. {logs[-1]}" if logs else ""
        raise DataError(f"{path} must hold one log of Inspect, and holds {len(logs)}{which}")
    return logs[0]


def read(path: Path) -> ForeignRun:
    """The run that a log is, or a folder of one. Raises `DataError` naming file and place for anything else."""
    path = _log(path)
    header, samples = _document(path) if glimpse(path).kind == "mapping" else _archive(path)
    form = header.get("version")
    if form not in FORMS:
        raise DataError(f"{path}: version {form!r} of Inspect's logs isn't known here; known: {FORMS[0]}")
    evaluation = needed(header, "eval", dict, str(path))
    model = needed(evaluation, "model", str, f"{path}: eval")
    packages = optional(evaluation, "packages", dict, {})
    return ForeignRun(
        version=str(packages.get("inspect_ai", "")),
        model=f"inspect:{model}",
        spec=f"inspect:{model}",
        date=optional(evaluation, "created", str, ""),
        files=(path,),
        details={
            "task": optional(evaluation, "task", str, ""),
            "status": optional(header, "status", str, ""),
            "model_args": optional(evaluation, "model_args", dict, {}),
        },
        answers=[_answer(sample, f"{path.name}, sample {number}") for number, sample in enumerate(samples, 1)],
    )


def _document(path: Path) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
    content = log_file(path)
    return content, needed(content, "samples", list, str(path))


def _archive(path: Path) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
    content = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {member.filename: member for member in archive.infolist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DataError(f"{path} is no whole archive of Inspect's; copy it again") from error
    if "header.json" not in members:
        raise DataError(f"{path} has no header.json: it is no log of Inspect, or its run didn't end")
    header = log_entry(_member(content, members["header.json"], path), f"{path}, header.json")
    names = sorted(name for name in members if name.startswith("samples/") and name.endswith(".json"))
    return header, _samples(content, [members[name] for name in names], path)


def _samples(content: bytes, members: Iterable[zipfile.ZipInfo], path: Path) -> Iterator[dict[str, Any]]:
    for member in members:
        yield log_entry(_member(content, member, path), f"{path}, {member.filename}")


def _member(content: bytes, member: zipfile.ZipInfo, path: Path) -> bytes:
    """What a member holds. Raises `DataError` where it's damaged or larger than any sample."""
    where = f"{path}, {member.filename}"
    if member.file_size > _LARGEST:
        raise DataError(f"{where} has more than {_LARGEST:,} bytes, so it is no sample")
    try:
        if member.compress_type != _ZSTANDARD:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return archive.read(member)
        return _zstandard(content, member)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{where} is damaged ({error}); copy the log again") from error


def _zstandard(content: bytes, member: zipfile.ZipInfo) -> bytes:
    """Inflates a member by Arrow's codec; its check sum says whether it's whole. A ValueError where it isn't."""
    import pyarrow

    head = member.header_offset
    names = int.from_bytes(content[head + 26 : head + 28], "little") + int.from_bytes(
        content[head + 28 : head + 30], "little"
    )
    packed = content[head + 30 + names : head + 30 + names + member.compress_size]
    data: bytes = pyarrow.decompress(packed, decompressed_size=member.file_size, codec="zstd", asbytes=True)
    if zlib.crc32(data) != member.CRC:
        raise ValueError("its check sum is another one")
    return data


def _answer(sample: Any, where: str) -> ForeignAnswer:
    if not isinstance(sample, dict):
        raise DataError(f"{where} is no mapping")
    output = optional(sample, "output", dict, {})
    failure = _failure(sample, output)
    usage = optional(output, "usage", dict, {})
    label, score = _scored(optional(sample, "scores", dict, {}))
    name = question_name(optional(sample, "metadata", dict, {})) or str(sample.get("id", ""))
    return ForeignAnswer(
        place=where,
        question=name,
        position=name,
        text="" if failure else _output_text(output, where),
        failure=failure,
        label=label,
        score=score,
        prompt=_asked(sample),
        options=listed_options(sample.get("choices")),
        target=told_target(sample.get("target")),
        input_tokens=count(usage.get("input_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        seconds=output["time"] if isinstance(output.get("time"), float) else None,
    )


def _output_text(output: dict[str, Any], where: str) -> str:
    """The first choice's text. Raises `DataError` where it has none, not even an empty one."""
    first = output["choices"][0]
    message = needed(first, "message", dict, f"{where}: its first choice") if isinstance(first, dict) else {}
    content = message.get("content")
    if not isinstance(content, str | list):
        raise DataError(f"{where}: the output is {cited(content)}, not a text")
    return message_text(content)


def _asked(sample: dict[str, Any]) -> str:
    """The words before the output: solvers may word anew, and with other options, what stands under `input`."""
    messages = [one for one in optional(sample, "messages", list, []) if isinstance(one, dict)]
    outputs = [place for place, one in enumerate(messages) if one.get("role") == "assistant"]
    asked = [one for one in messages[: outputs[-1] if outputs else None] if one.get("role") != "assistant"]
    return _prompt(asked) or _prompt(sample.get("input"))


def _prompt(content: Any) -> str:
    if isinstance(content, str):
        return content
    messages = content if isinstance(content, list) else []
    return "\n".join(message_text(message.get("content")) for message in messages if isinstance(message, dict))


def _failure(sample: dict[str, Any], output: dict[str, Any]) -> Failure | None:
    error = sample.get("error") or output.get("error")
    if error:
        message = str(error.get("message", "")) if isinstance(error, dict) else str(error)
        return Failure(kind="errored", message=message[:500], retryable=True)
    if not optional(output, "choices", list, []):
        return Failure(kind="no_response", message="the log has no output for this sample", retryable=True)
    return None


def _scored(scores: dict[str, Any]) -> tuple[str | None, float | None]:
    """What the scorer named `letter`, or else the first, read and gave."""
    chosen = scores.get("letter", next(iter(scores.values()), None))
    if not isinstance(chosen, dict):
        return None, None
    value, answer = chosen.get("value"), chosen.get("answer")
    score = _RIGHT.get(value) if isinstance(value, str) else value
    known = isinstance(score, int | float) and not isinstance(score, bool)
    return answer if isinstance(answer, str) else None, float(score) if known and score is not None else None
