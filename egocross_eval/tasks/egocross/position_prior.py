"""`baseline:position` on EgoCross: how often each letter is right among the support examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from egocross_eval.contracts.model import ModelAdapter
from egocross_eval.errors import UsageError

SUPPORT_LETTERS: dict[str, dict[str, int]] = {
    "animal": {"A": 7, "B": 7, "C": 3, "D": 3},
    "industry": {"A": 6, "B": 2, "C": 2, "D": 10},
    "xsports": {"A": 3, "B": 7, "C": 5, "D": 5},
    "surgery": {"A": 3, "B": 4, "C": 8, "D": 5},
}
"""How often each letter is the answer in the real support set (20 examples a domain), counted from its `train.json`."""


class PositionOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `baseline:position`."""

    support: Annotated[
        str | None, msgspec.Meta(description="a train.json to take the prior from instead of the real support set")
    ] = None


def build(target: str, options: PositionOptions) -> ModelAdapter:
    """The baseline that answers the letter most often right in the question's domain."""
    from egocross_eval.model_adapters.baseline import BaselineAdapter, by_position

    if target != "position":
        raise UsageError(f"baseline:{target} is unknown; did you mean baseline:position?")
    counts = count_letters(Path(options.support)) if options.support is not None else SUPPORT_LETTERS
    total: Counter[str] = Counter()
    for domain in counts.values():
        total.update(domain)

    def prior(labels: Mapping[str, str]) -> Mapping[str, int]:
        # A benchmark without domains is another one, of whose answers the support examples say nothing.
        return counts.get(labels["domain"]) or total if "domain" in labels else {}

    return BaselineAdapter(by_position(prior), {"letter_counts": counts})


def count_letters(path: Path) -> dict[str, dict[str, int]]:
    """Answer letters by domain of a support file (ShareGPT form). Raises `DataError` where it can't be read."""
    from egocross_eval.contracts.task import DataSource
    from egocross_eval.tasks.egocross.support import read_support

    counts: dict[str, Counter[str]] = {}
    source = DataSource(root=path.resolve().parent, split="support", questions_file=path)
    for question in read_support(source).questions:
        if question.target is not None:
            counts.setdefault(question.label("domain"), Counter())[question.target] += 1
    return {domain: dict(counter) for domain, counter in counts.items()}
