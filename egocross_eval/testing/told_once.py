"""One fault breaks many checks: the first tells it whole, the others say in a line which one that was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from egocross_eval.errors import EgoCrossError, RunError
from egocross_eval.testing.contract import BrokenContractError, Check


def told_once(checks: Iterable[Check]) -> Iterator[Check]:
    """The checks with this memory, which they share as they are called."""
    told: dict[str, str] = {}
    for check in checks:
        yield Check(check.name, partial(_call, check, told))


def _call(check: Check, told: dict[str, str]) -> None:
    """Raises as the check does; `told` has the names of checks by what each told first."""
    try:
        check()
    except (BrokenContractError, EgoCrossError) as error:
        first = told.setdefault(_fault(error, check.name), check.name)
        if first != check.name:
            raise _same(error, f"{check.name}: fails as '{first}' does, for the same fault") from None
        if isinstance(error, BrokenContractError) and error.place:
            first = told.setdefault(f"{error.place} {error.words}", check.name)
            if first != check.name:
                raise BrokenContractError(f"{error.found}. That's the line of '{first}' ({error.place})") from None
        raise


def _fault(error: Exception, name: str) -> str:
    """What two errors of one fault have in common: the exception behind them, or else their words."""
    root: BaseException = error
    while root.__cause__ is not None:
        root = root.__cause__
    return str(error).removeprefix(name) if root is error else repr(root)


def _same(error: Exception, text: str) -> Exception:
    """An error of the same kind: what can't be checked isn't called broken."""
    return BrokenContractError(text) if isinstance(error, BrokenContractError) else RunError(text)
