"""Reads predictions of VLMEvalKit: `<model>_<dataset>` as .tsv, .json or .xlsx, with or without its judge's columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from egocross_eval.contracts.importer import ForeignAnswer, ForeignRun
from egocross_eval.counted import counted
from egocross_eval.documents import cited, decode_entries, decode_text
from egocross_eval.errors import DataError, MissingExtraError
from egocross_eval.files import LARGEST, read_bytes
from egocross_eval.interop.importing.entries import question_name
from egocross_eval.interop.importing.glimpse import glimpse
from egocross_eval.interop.importing.options import told_options, told_target
from egocross_eval.schema import Failure

FAILED = "Failed to obtain answer"
"""How what stands in the place of a failed answer begins."""

_COLUMNS = ("index", "prediction")
_WORKBOOK = "xl/workbook.xml"
"""Member of the archive that a workbook is."""

_MORE = "\0"
"""Name of the cells that no column has; no column's name."""


def recognises(path: Path) -> bool:
    """Whether a file is a table with the columns `index` and `prediction`, or a workbook, whole or damaged."""
    seen = glimpse(path)
    if seen.is_entries or seen.kind in ("list", "table"):
        return seen.has(*_COLUMNS)
    return seen.has(_WORKBOOK) or (path.suffix == ".xlsx" and not seen.names)


def read(path: Path) -> ForeignRun:
    """The run that a table of predictions is. Raises `DataError` naming file and row for anything else."""
    rows = _rows(path)
    for name in _COLUMNS:
        if not rows or name not in rows[0]:
            raise DataError(f"{path} has no column {name!r}, so it is no predictions file of VLMEvalKit")
    return ForeignRun(
        model=f"vlmevalkit:{path.stem}",
        spec=f"vlmevalkit:{path.stem}",
        files=(path,),
        answers=[_answer(row, f"{path.name}, row {number}") for number, row in enumerate(rows, 1)],
    )


def _rows(path: Path) -> Sequence[Mapping[str, Any]]:
    seen = glimpse(path)
    if seen.kind in ("mapping", "list", "lines"):
        return decode_entries(read_bytes(path), dict[str, Any], str(path))
    if path.suffix == ".xlsx" or seen.has(_WORKBOOK):
        return _workbook(path)
    text = decode_text(read_bytes(path), str(path))
    csv.field_size_limit(LARGEST)
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey=_MORE, strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}") from error
    _refuse_repeated(path, reader.fieldnames or ())
    for number, row in enumerate(rows, 1):
        if _MORE in row or None in row.values():
            raise DataError(
                f"{path.name}, row {number} has other cells than the {counted(len(reader.fieldnames or ()), 'column')}"
            )
    return rows


def _refuse_repeated(path: Path, columns: Sequence[str]) -> None:
    repeated = [name for name in _COLUMNS if columns.count(name) > 1]
    if repeated:
        raise DataError(f"{path} has the column {repeated[0]!r} twice")


def _index(value: Any) -> str:
    """Spreadsheets keep whole numbers as 3.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _workbook(path: Path) -> Sequence[Mapping[str, Any]]:
    try:
        import openpyxl
    except ImportError:
        raise MissingExtraError("openpyxl", "xlsx") from None
    content = io.BytesIO(read_bytes(path))
    try:
        sheet = openpyxl.load_workbook(content, read_only=True, data_only=True).worksheets[0]
        head, *rows = sheet.iter_rows(values_only=True)
    except Exception as error:  # whatever its parsers raise on a file of another kind
        raise DataError(f"{path} is no workbook that can be read: {error}") from error
    names = [str(name) for name in head]
    _refuse_repeated(path, names)
    return [dict(zip(names, row, strict=False)) for row in rows]


def _answer(row: Mapping[str, Any], where: str) -> ForeignAnswer:
    if "prediction" not in row:
        raise DataError(f"{where} has no 'prediction'")
    prediction = row["prediction"]
    if prediction is not None and not isinstance(prediction, str | int | float):
        raise DataError(f"{where}: 'prediction' is {cited(prediction)}, not a text")
    text = "" if prediction is None else str(prediction)
    failure = Failure(kind="request_failed", message=text[:500], retryable=True) if text.startswith(FAILED) else None
    hit = str(row.get("hit"))
    return ForeignAnswer(
        place=where,
        question=question_name(dict(row)),
        position=_index(row.get("index")),
        text=text,
        failure=failure,
        score=float(hit) if hit in ("0", "1", "0.0", "1.0") else None,
        prompt=str(row.get("question") or ""),
        options=told_options(row),
        target=told_target(row.get("answer")),
    )
