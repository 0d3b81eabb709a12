"""What the conformance suite says of parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from egocross_eval.errors import EgoCrossError
from egocross_eval.testing import BrokenContractError, Check, NotPromised


class Told(NamedTuple):
    """What checks say."""

    broken: dict[str, str]
    """By the check's name, what is wrong."""
    unpromised: list[str]
    """Names of those that don't apply."""


def told(found: Iterable[Check]) -> Told:
    result = Told({}, [])
    for check in found:
        try:
            check()
        except NotPromised:
            result.unpromised.append(check.name)
        except (BrokenContractError, EgoCrossError) as error:
            result.broken[check.name] = str(error)
    return result


def failures(found: Iterable[Check]) -> dict[str, str]:
    """What each broken check says, by its name; checks that don't apply are left out."""
    return told(found).broken
