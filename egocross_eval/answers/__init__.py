"""Answer extraction: ordered, named rules over the final answer of an output.

``extract(output, options, letters)`` gives an ``Extraction``: the letter, the rule that read it and the span of the
evidence, or the reason (one of ``REASONS``) why there is no answer. ``RULES`` names the rules in order. The
conformance cases are in ``cases.jsonl`` beside this file; ``egocross_eval.answers.cases.cases()`` reads them.
"""

from __future__ import annotations

from .extraction import REASONS, Extraction
from .reading import RULES, extract

__all__ = ["REASONS", "RULES", "Extraction", "extract"]
