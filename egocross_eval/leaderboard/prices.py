"""What runs cost, by a user's table of prices."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path

import msgspec

from egocross_eval.documents import read_yaml
from egocross_eval.errors import UsageError
from egocross_eval.schema import Efficiency, Row


class ModelPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of a model, in the table's currency."""

    input: float = 0.0
    """A million tokens read."""
    reused: float | None = None
    """A million of those that needn't be computed; None: as the others."""
    output: float = 0.0
    """A million tokens written."""
    hour: float = 0.0
    """An hour in which the model answers."""


class PriceTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The YAML file."""

    models: dict[str, ModelPrice]
    """By the models' names in tables, `*` and `?` for any letters; the first that matches counts."""
    currency: str = ""


def read_prices(path: Path) -> PriceTable:
    """The table in a file. Raises `UsageError` naming what is wrong with it."""
    found = read_yaml(path, PriceTable, what="price table")
    for name, price in found.models.items():
        if not all(0 <= value < 1e9 for value in msgspec.structs.astuple(price) if value is not None):
            raise UsageError(f"price table {path}: a price of {name!r} is no amount of money")
    return found


def priced(rows: Sequence[Row], table: PriceTable) -> list[Row]:
    """The rows, with what they cost where the table has their model and the run says what is charged for."""
    return [_priced(row, table) for row in rows]


def _priced(row: Row, table: PriceTable) -> Row:
    took = row.efficiency
    price = next((price for name, price in table.models.items() if fnmatch.fnmatchcase(row.model, name)), None)
    if took is None or price is None:
        return row
    efficiency = msgspec.structs.replace(took, price=_cost(took, price), currency=table.currency)
    return msgspec.structs.replace(row, efficiency=efficiency)


def _cost(took: Efficiency, price: ModelPrice) -> float | None:
    """None where time is charged for and the run doesn't say how long it took."""
    if price.hour and not took.questions_a_second:
        return None
    reused = took.reused_tokens or 0 if price.reused is not None else 0
    hours = took.questions / took.questions_a_second / 3600 if took.questions_a_second else 0.0
    tokens = (took.input_tokens - reused) * price.input + reused * (price.reused or 0.0)
    return (tokens + took.output_tokens * price.output) / 1e6 + hours * price.hour
