"""The picture of a benchmark's clusters in docs/statistics.md: `python measurements/statistics/clusters.py RUN`.

RUN is any run folder over the questions, complete or not.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import BenchmarkRecord, Question

BARS = "▁▂▃▄▅▆▇█"


def picture(questions: Iterable[Question], benchmark: BenchmarkRecord) -> str:
    """A table of the parts with their clusters, and a bar for each cluster."""
    sizes: dict[str, Counter[str]] = {}
    for question in questions:
        sizes.setdefault(benchmark.part(question) or "all", Counter())[question.cluster or question.key] += 1
    largest = max(max(counts.values()) for counts in sizes.values())
    rows = [
        f"| {benchmark.macro or ''} | questions | {benchmark.cluster}s | questions on each |",
        "|---|---:|---:|---|",
    ]
    bars = []
    for name, counts in sizes.items():
        times = Counter(counts.values())
        each = ", ".join(f"{n} × {size}" if n > 1 else str(size) for size, n in sorted(times.items(), reverse=True))
        rows.append(f"| {name} | {counts.total()} | {len(counts)} | {each} |")
        ordered = sorted(counts.values(), reverse=True)
        bars.append(f"    {name:10}" + "".join(BARS[(size - 1) * len(BARS) // largest] for size in ordered))
    return "\n".join([*rows, "", *bars])


if __name__ == "__main__":
    folder = RunFolder(Path(sys.argv[1]))
    print(picture(folder.questions(), folder.record().benchmark))
