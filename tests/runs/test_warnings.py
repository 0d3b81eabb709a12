"""Warnings point to the line that asked for a run, and not into the package."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path

from egocross_eval import evaluate


def test_warnings_of_evaluate_point_to_its_caller(tmp_path: Path, demo: Path) -> None:
    routes = tmp_path / "experts.yaml"
    routes.write_text("models: {animals: 'baseline:longest'}\ndefault: baseline:chance")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        frame = inspect.currentframe()
        assert frame is not None
        line = frame.f_lineno + 1
        evaluate(f"routed:{routes}", data=demo, output=tmp_path / "run", votes="once")  # type: ignore[call-arg]
    # One of the keywords, one of the model, one of the questions: from three depths.
    assert len({str(one.message) for one in said}) == 3
    assert {(one.filename, one.lineno) for one in said} == {(__file__, line)}
