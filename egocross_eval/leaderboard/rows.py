"""Rows of a leaderboard: from runs, from files that others exported, and joined over repeated runs."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import fields, replace

from egocross_eval.documents import cited, decode_json
from egocross_eval.errors import UsageError, warn_caller
from egocross_eval.files import read_bytes
from egocross_eval.leaderboard.published import published_rows
from egocross_eval.leaderboard.row_checks import FATES, LARGEST_FILE, row_problem
from egocross_eval.runs import version1
from egocross_eval.schema import NOT_KNOWN, SCHEMA_VERSION, Figure, Results, Row, RunRecord, RunSettings, Way
from egocross_eval.scoring.efficiency import joined_efficiency
from egocross_eval.scoring.outcomes import Table, averaged, interval_of, table
from egocross_eval.settings import GenerationSettings, PromptSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

ROW_FILE_KIND = "egocross-eval rows"
"""Marks a file of exported rows."""

_FOLDERS = re.compile(r"[^\s:=]*/")
"""Those above what a part of a display name ends with."""


class RankedRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row and the rank it had among those it was exported with (None: not ranked). A reader ranks anew."""

    rank: int | None
    row: Row


class RowFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An exported leaderboard: what `leaderboard --format json` writes and `leaderboard FILE` reads."""

    schema_version: int
    kind: str
    rows: list[RankedRow]


def row_from_run(
    record: RunRecord, results: Results, *, source: str, origin_hash: str, link: str = "", asked_hash: str = ""
) -> Row:
    """The row of a run, or of a judging that of the run which it judged. `source` names it (its folder's name),
    `origin_hash` is the SHA-256 of its samples file, `asked_hash` what its folder has."""
    asked = record.judged or record
    return Row(
        schema_version=SCHEMA_VERSION,
        model=asked.model.name,
        source=source,
        published=False,
        complete=results.complete,
        benchmark=record.benchmark,
        split=record.settings.split,
        micro=results.micro,
        macro=results.macro,
        parts=results.groups.get(record.benchmark.macro, {}),
        counts=results.counts,
        settings=_short_settings(asked),
        date=asked.created_at[:10],
        origin_hash=origin_hash,
        link=link,
        question_count=record.question_count,
        questions_hash=record.questions_hash,
        asked_hash=asked_hash,
        fingerprint=asked.model.fingerprint,
        answers_hash=results.answers_hash,
        outcomes=results.outcomes,
        efficiency=results.efficiency,
        judge=record.judge_title,
        judge_hash=_judge_hash(record),
    )


def source_name(path: Path, record: RunRecord) -> str:
    """Name of a run's folder; of a judging's, that of the run which it lies in."""
    place = path.resolve()
    return place.parents[1].name if record.judged is not None else place.name


def _judge_hash(record: RunRecord) -> str:
    """Hash of the judge and of how it judges; empty for a run."""
    import hashlib

    settings = record.settings
    if record.judged is None or settings.judge is None:
        return ""
    judge = msgspec.structs.replace(settings.judge, rubric="")  # the hash of what is in it says more than its name
    decides = (record.model.identity, record.model.fingerprint, settings.grader, settings.rubric_hash, judge)
    return hashlib.sha256(msgspec.json.encode(decides)).hexdigest()


_SHOWN_ALWAYS = {"style": "style", "frames": "frames", "media": "media", "answer_mode": "answers", "seed": "seed"}
_SHOWN_ELSEWHERE = {
    *("given", "tasks", "split", "limit", "grader", "prompt", "generation", "ways", "judge", "rubric_hash")
}
"""Settings that only decide which questions are asked (`questions_hash` stands for them), and the parts."""

_DEFAULTS = {
    field.name: field.default
    for struct in (Way, PromptSettings, GenerationSettings, RunSettings)
    for field in fields(struct)
}

_SHORT_NAMES = {"max_pixels": "pixels", "style_hash": "template"}


def _short_settings(record: RunRecord) -> dict[str, str]:
    """Display forms of what decides the answers: the main settings, and every other that isn't at its default.

    Rows are joined over seeds where all else here is equal, so no setting may be left out.
    """
    if record.combined is not None:
        return {"combined": str(record.combined)}
    if record.imported is not None and not record.imported.settings_known:
        return {"asked by": record.imported.tool}
    short: dict[str, str] = {}
    for field, values in _every_setting(record.settings).items():
        if field in _SHOWN_ALWAYS:
            short[_SHOWN_ALWAYS[field]] = " or ".join(map(str, values)) or NOT_KNOWN
        elif values != (_DEFAULTS[field],):
            name = _SHORT_NAMES.get(field, field.replace("_", " "))
            short[name] = " or ".join(_short_value(field, value) for value in values) or NOT_KNOWN
    if record.untimed:
        short["times unknown"] = ", ".join(f"{name or 'questions'} {count}" for name, count in record.untimed.items())
    blind = short["frames"] == "none"
    if not record.data_root and not blind:
        # Questions without frames: how frames would be shown is no setting of such a run.
        del short["frames"], short["media"]
    elif blind:
        del short["media"]
    for option in ("processor_kwargs", "template_kwargs"):
        given = record.model.details.get(option)
        if isinstance(given, dict) and given:
            short[option.replace("_", " ")] = " ".join(f"{name}={value}" for name, value in sorted(given.items()))[:60]
    parameters = record.model.details.get("parameters")
    if isinstance(parameters, int) and parameters > 0:
        short["parameters"] = _short_number(parameters)
    if record.imported is not None:
        short["asked by"] = record.imported.tool
    return short


def _every_setting(settings: RunSettings) -> dict[str, tuple[Any, ...]]:
    """By field, the values that it has for the questions: several where a strategy asks them in several ways, none
    where that isn't known."""
    asked = settings.values()
    alone = {name: (getattr(settings, name),) for name in settings.__struct_fields__ if name not in asked}
    return {name: values for name, values in (asked | alone).items() if name not in _SHOWN_ELSEWHERE}


def _short_value(field: str, value: object) -> str:
    """Of a hash the beginning; a method in full, however long its options are."""
    if value is None or isinstance(value, bool):
        return "yes" if value else "no"
    if field == "model":
        return str(value) or "the run's"
    return str(value)[: 12 if field.endswith("hash") else None] or "none"


def _short_number(value: int) -> str:
    """E.g. `4.4B`, `1.1M`."""
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return str(value)


def row_file(rows: Sequence[Row], ranks: Sequence[int | None]) -> RowFile:
    """Rows as they are exported."""
    ranked = [RankedRow(rank=rank, row=row) for row, rank in zip(rows, ranks, strict=True)]
    return RowFile(schema_version=SCHEMA_VERSION, kind=ROW_FILE_KIND, rows=ranked)


def read_row_file(path: Path) -> list[Row]:
    """Rows that someone exported.

    Raises `UsageError` naming the file and row if it isn't such a file, is of a newer version, or a row contradicts
    itself or doesn't carry the hash of what it came from. A row that calls itself published counts only if the
    benchmark brings the same one along: otherwise it's left out with a warning.
    """
    content = read_bytes(path, limit=LARGEST_FILE)
    head = decode_json(content, Any, str(path))
    if not isinstance(head, dict) or head.get("kind") != ROW_FILE_KIND:
        raise UsageError(
            f"{path} holds no exported rows; make such a file with: egocross-eval leaderboard RUN --format json"
        )
    version = head.get("schema_version")
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise UsageError(
            f"{path} has version {version}, this egocross-eval reads up to {SCHEMA_VERSION}; upgrade egocross-eval"
        )
    if version == 1:
        rows = _rows_of_version_1(head, path)
    else:
        rows = [ranked.row for ranked in decode_json(content, RowFile, str(path)).rows]
    for number, row in enumerate(rows, 1):
        if problem := row_problem(row):
            raise UsageError(f"{path}, row {number} ({cited(row.model)}): {problem}")
    return [known for row in rows if (known := _with_known_parts(row, path)) is not None]


def _with_known_parts(row: Row, path: Path) -> Row | None:
    """The row with what isn't the file's to say: its benchmark as that declares itself, and if it's published, the row
    that the benchmark brings along; None, with a warning, where it brings no such row."""
    from egocross_eval.contracts.registry import registry

    benchmark = registry().benchmarks().get(row.benchmark.name)
    if not row.published:
        return row if benchmark is None else replace(row, benchmark=benchmark.record())
    known = published_rows(benchmark, registry()) if benchmark is not None else ()
    found = next((one for one in known if _is_same_result(one, row)), None)
    if found is None:
        message = f"left out: {path}: {cited(row.model)} calls itself published, and {cited(row.benchmark.name)} "
        warn_caller(f"{message}has no such published row")
    return found


def _is_same_result(known: Row, row: Row) -> bool:
    """Whether a row from a file is a known published one; name and intervals may be those of an earlier version."""
    return (
        (known.split, known.published_overall) == (row.split, row.published_overall)
        and known.parts.keys() == row.parts.keys()
        and all((known.parts[name].right, known.parts[name].n) == (f.right, f.n) for name, f in row.parts.items())
    )


def _rows_of_version_1(head: dict[str, Any], path: Path) -> list[Row]:
    try:
        return [version1.row(ranked["row"]) for ranked in head["rows"]]
    except version1.OTHER_FORM as error:
        raise UsageError(f"{path}: its rows are not of the form that version 0.1 wrote: {error}") from error


def distinct(rows: Iterable[Row]) -> list[Row]:
    """Rows without those that come from the very same samples as an earlier one."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for row in rows:
        # With model and figures: a row that only claims another's hash must not hide it.
        identity: tuple[object, ...] = (
            row.model,
            row.origin_hash,
            row.micro and (row.micro.right, row.micro.n, row.repeats),
        )
        if not row.origin_hash:
            identity = (row.model, row.source)
        if identity not in seen:
            seen.add(identity)
            kept.append(row)
    return kept


def join_repeats(rows: Sequence[Row]) -> list[Row]:
    """Rows with complete runs that differ in the seed alone joined into one, in the place of the first.

    Each question counts as the mean of the runs. Rows that don't carry their outcomes by question stay as they are.
    Rows of an earlier version, which don't say what was asked, are taken for those of the others that are like them.
    """
    asked: defaultdict[tuple[object, ...], set[str]] = defaultdict(set)
    for row in rows:
        asked[_without_seed(row)].add(row.asked_hash)
    groups: dict[tuple[object, ...], list[Row]] = {}
    for index, row in enumerate(rows):
        single = row.published or not row.complete or row.repeats > 1 or row.micro is None or not row.outcomes
        alike = _without_seed(row)
        key: tuple[object, ...] = (index,) if single else (alike, row.asked_hash or _only(asked[alike]))
        if any(member.settings.get("seed") == row.settings.get("seed") for member in groups.get(key, ())):
            # The same seed again is a copy or a rerun, and no repetition.
            key = (index,)
        groups.setdefault(key, []).append(row)
    return [joined for members in groups.values() for joined in _joined(members)]


def _only(hashes: set[str]) -> str:
    """The only hash that isn't empty; empty where there is none, or several."""
    known = hashes - {""}
    return max(known) if len(known) == 1 else ""


def _without_seed(row: Row) -> tuple[object, ...]:
    """What repetitions have in common, beside what they asked."""
    # Which folders above a checkpoint are in its name depends on the version; the fingerprint tells checkpoints apart.
    model = _FOLDERS.sub("", row.model) if row.fingerprint else row.model
    settings = tuple(sorted(item for item in row.settings.items() if item[0] != "seed"))
    return (
        model,
        row.fingerprint,
        row.split,
        row.questions_hash,
        row.question_count,
        row.answers_hash,
        row.judge_hash,
        settings,
    )


def _joined(rows: Sequence[Row]) -> list[Row]:
    """One row for all of them; the rows themselves where they can't be averaged question by question."""
    outcomes = averaged([row.outcomes for row in rows]) if len(rows) > 1 else None
    if outcomes is None:
        return list(rows)
    found = table(outcomes)
    micro = [row.micro for row in rows if row.micro is not None]
    macro = [row.macro for row in rows if row.macro is not None]
    parts = {
        name: _mean_figure([row.parts[name] for row in rows], found, part=name)
        for name in rows[0].parts
        if all(name in row.parts for row in rows)
    }
    joined = replace(
        rows[0],
        micro=_mean_figure(micro, found),
        macro=_mean_figure(macro, found, macro=True) if len(macro) == len(rows) else None,
        parts=parts,
        counts={name: sum(row.counts.get(name, 0) for row in rows) for name in rows[0].counts},
        settings={**rows[0].settings, "seed": "+".join(row.settings.get("seed", "?") for row in rows)},
        source=", ".join(row.source for row in rows),
        asked_hash=max(row.asked_hash for row in rows),
        date=max(row.date for row in rows),
        origin_hash=_joined_hash(rows),
        repeats=len(rows),
        micro_spread=statistics.stdev(figure.accuracy for figure in micro),
        macro_spread=statistics.stdev(figure.accuracy for figure in macro) if len(macro) == len(rows) else None,
        outcomes=outcomes,
        efficiency=joined_efficiency([row.efficiency for row in rows]),
    )
    return [joined]


def _joined_hash(rows: Sequence[Row]) -> str:
    """SHA-256 of the rows' own hashes, one to a line."""
    import hashlib

    return hashlib.sha256("\n".join(row.origin_hash for row in rows).encode()).hexdigest()


def _mean_figure(figures: Sequence[Figure], outcomes: Table, *, part: str = "", macro: bool = False) -> Figure:
    """Mean accuracy over runs; counts are sums. The interval is that of the questions' means over the runs, so that it
    has no more noise of sampling answers than these."""

    def total(name: str) -> int:
        return sum(getattr(figure, name) for figure in figures)

    interval = interval_of(outcomes, part=part, macro=macro)
    return Figure(
        n=total("n"),
        accuracy=statistics.fmean(figure.accuracy for figure in figures),
        low=interval.low,
        high=interval.high,
        **{name: total(name) for name in FATES},
        chance=figures[0].chance,
        interval=interval.method,
        clusters=figures[0].clusters,
    )
