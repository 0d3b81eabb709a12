"""Answer extraction: ordered, named rules over the final answer of an output.

`extract(output, options, letters)` gives an `Extraction`: the letter, the rule that read it and the span of the
evidence, or the reason (one of `REASONS`) why there is no answer. `RULES` names the rules in order. The
conformance cases are in `cases.jsonl` beside this file; `egocross_eval.reading.cases.cases()` reads them.
"""

from __future__ import annotations

from egocross_eval.reading.extraction import REASONS, RULES, Extraction
from egocross_eval.reading.pipeline import extract

__all__ = ["REASONS", "RULES", "Extraction", "extract"]
