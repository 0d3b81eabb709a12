"""JSON schemas of the files that people exchange, by the types that read them: run this file to write them anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval import Results, RunRecord, Sample
from egocross_eval.cli.show.events import Line
from egocross_eval.leaderboard.rows import RowFile
from egocross_eval.scoring.predictions_file import PredictionEntry
from egocross_eval.sweeps.status import Standing
from egocross_eval.tasks.egocross.answers_file import AnswerRecord

FOLDER = Path(__file__).parents[1] / "docs" / "reference"

FILES: dict[str, tuple[Any, str]] = {
    "run": (RunRecord, "`run.json` of a run folder"),
    "sample": (Sample, "a line of `samples.jsonl`"),
    "results": (Results, "`results.json` of a run folder"),
    "rows": (RowFile, "what `leaderboard --format json` writes"),
    "predictions": (list[PredictionEntry], "a predictions file, and the list within a submission"),
    "event": (Line, "a line that `run --events` and `sweep --events` print"),
    "status": (list[Standing], "what `status --format json` prints"),
    "answers": (list[AnswerRecord], "a file of right answers"),
}
"""By name: the type, and what has it."""

HEAD = """# Schemas

JSON schemas of the files that people exchange, by the types that read them. Fields at their default aren't written.
[Files](../run-folder.md) says what they mean.

| schema | of |
|---|---|
"""


def texts() -> dict[str, str]:
    """By file name below `FOLDER`, what it holds."""
    schemas = {
        f"schemas/{name}.schema.json": json.dumps(msgspec.json.schema(kind), indent=1, sort_keys=True) + "\n"
        for name, (kind, _) in FILES.items()
    }
    lines = [f"| [{name}.schema.json](schemas/{name}.schema.json) | {what} |\n" for name, (_, what) in FILES.items()]
    return {**schemas, "schemas.md": HEAD + "".join(lines)}


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).parent.mkdir(exist_ok=True)
        (FOLDER / name).write_text(text, encoding="utf-8")
