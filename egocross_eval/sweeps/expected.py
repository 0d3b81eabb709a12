"""How long runs will take, by how long others took."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from egocross_eval.leaderboard.believed import results_in
from egocross_eval.runs.activity import pace, read_activity
from egocross_eval.runs.store import RunFolder


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """A run whose pace is known."""

    folder: Path
    model: str
    """Its identity."""
    tokens: float
    """Input tokens a question, as the engine counted them; 0: it doesn't say."""
    per_question: float
    """Seconds from one answer to the next."""


def basis_of(folders: Iterable[Path]) -> list[Basis]:
    """Those of the run folders whose pace is known."""
    found = []
    for folder in map(RunFolder, folders):
        rate = pace(read_activity(folder.path))
        if rate is None or not folder.has_results():
            continue
        results = results_in(folder)
        asked = sum(
            count for name, count in results.counts.items() if name in ("right", "wrong", "not_parsed", "unscored")
        )
        tokens = results.tokens.get("input", 0) / asked if asked else 0.0
        model = folder.record().model.identity
        found.append(Basis(folder=folder.path, model=model, tokens=tokens, per_question=1 / rate))
    return found


def expected_seconds(model: str, questions: int, tokens: int, known: list[Basis]) -> tuple[float, Basis] | None:
    """Seconds that a run over `questions` of about `tokens` input tokens in all will take, and the run that says so.

    A run of the same model is asked first; the time is taken to grow with the tokens where both are known. None where
    nothing is known.
    """
    if not known:
        return None
    basis = next((one for one in known if one.model == model), known[0])
    grows = tokens / questions / basis.tokens if basis.tokens and tokens and questions else 1.0
    return questions * basis.per_question * grows, basis
