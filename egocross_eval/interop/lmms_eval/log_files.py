"""Reads what lmms-eval wrote: `<date>_results.json` and `<date>_samples_<task>.jsonl`, of our tasks or of any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.contracts.importer import ForeignAnswer, ForeignRun
from egocross_eval.documents import explained
from egocross_eval.errors import DataError
from egocross_eval.interop.importing.entries import (
    asked_text,
    count,
    first_text,
    log_file,
    log_lines,
    needed,
    optional,
    question_name,
)
from egocross_eval.interop.importing.glimpse import glimpse
from egocross_eval.interop.importing.options import told_options, told_target
from egocross_eval.interop.lmms_eval.clients import client
from egocross_eval.interop.lmms_eval.environment import KNOWN
from egocross_eval.interop.lmms_eval.failures import response_of
from egocross_eval.interop.lmms_eval.marks import MARK, TaskMark

RESULTS = "_results.json"
SAMPLES = "_samples_"
_METRICS = ("micro", "macro")
_NONE = "None"
"""What lmms-eval writes where a server's reply has no text."""
_KEPT = ("model_backend", "batch_size", "limit", "gen_kwargs", "random_seed", "numpy_seed", "torch_seed")
"""Of the log's configuration, what `run.json` keeps beside model and arguments."""


def recognises(path: Path) -> bool:
    """Whether a file has the fields of lmms-eval's results or samples, or a folder holds such results."""
    if path.is_dir():
        return any(_is_results(file) for file in path.rglob(f"*{RESULTS}"))
    seen = glimpse(path)
    samples = seen.is_entries and seen.has("doc_id", "filtered_resps") and not seen.has("doc")
    return samples or _is_results(path)


def _is_results(path: Path) -> bool:
    seen = glimpse(path)
    other = seen.has("lm_eval_version") or (seen.has("pretty_env_info") and not seen.has("lmms_eval_version"))
    return seen.kind == "mapping" and seen.has("config", "configs") and not other


def read(path: Path) -> ForeignRun:
    """The run that a results file, one of its sample logs, or the folder of one run is.

    Its version isn't in there: `lmms_eval_version` is branch and commit of whatever repository it was started in.
    Raises `DataError` naming file and place for anything else, and where samples weren't logged.
    """
    file = _results_file(path)
    results = log_file(file)
    where = str(file)
    config, configs = (_of_known_form(results, name, where) for name in ("config", "configs"))
    model, arguments = optional(config, "model", str, ""), _arguments(config)
    files: list[Path] = [file]
    answers: list[ForeignAnswer] = []
    marks: list[TaskMark | None] = []
    for task in configs:
        log = file.with_name(file.name.removesuffix(RESULTS) + f"{SAMPLES}{task}.jsonl")
        if not log.is_file():
            raise DataError(f"{where} names the task {task!r}, and {log.name} isn't beside it: run with --log_samples")
        files.append(log)
        answers += _answers(log, task, api=client(model) is not None)
        marks.append(_mark(configs[task], f"{where}: task {task!r}"))
    known = [mark for mark in marks if mark is not None]
    shared = known[0] if len(known) == len(marks) and known else None
    return ForeignRun(
        model=_display(model, arguments),
        spec=f"lmms:{model}" + (f",{arguments}" if arguments else ""),
        date=str(results.get("date") or ""),
        files=tuple(files),
        details={
            "model": model,
            "model_args": arguments,
            "started_in": optional(results, "lmms_eval_version", str, ""),
            **{key: config[key] for key in _KEPT if config.get(key)},
        },
        settings=shared.settings if shared else None,
        ids=shared.ids if shared else "",
        questions_hash=shared.questions_hash if shared else "",
        parts=tuple(mark.part for mark in known) if shared else (),
        answers=answers,
    )


def _of_known_form(results: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = needed(results, name, dict, where)
    except DataError as error:
        known = ", ".join(f"{known}.*" for known in KNOWN)
        raise DataError(f"{error}: the form of this log isn't known here; known: that of lmms-eval {known}") from None
    return found


def _results_file(path: Path) -> Path:
    if path.is_dir():
        found = sorted(path.rglob(f"*{RESULTS}"))
        if len(found) != 1:
            names = ", ".join(str(one) for one in found[-5:]) or "none"
            raise DataError(f"{path} must hold one *{RESULTS} of lmms-eval, and holds {len(found)}: name one ({names})")
        return found[0]
    if SAMPLES in path.name:
        return path.with_name(path.name.partition(SAMPLES)[0] + RESULTS)
    return path


def _arguments(config: dict[str, Any]) -> str:
    given = config.get("model_args") or ""
    return ",".join(f"{key}={value}" for key, value in given.items()) if isinstance(given, dict) else str(given)


def _display(model: str, arguments: str) -> str:
    """The class and what it loads, without a path's parents."""
    pairs = dict(piece.partition("=")[::2] for piece in arguments.split(","))
    loaded = next((pairs[key] for key in ("pretrained", "model", "model_version", "spec") if pairs.get(key)), "")
    short = Path(loaded).name if loaded.startswith((".", "/", "~")) else loaded
    return f"lmms:{model} {short}".rstrip()


def _mark(config: Any, where: str) -> TaskMark | None:
    """What a task of ours carries; None for any other."""
    metadata = config.get("metadata") if isinstance(config, dict) else None
    if not isinstance(metadata, dict) or MARK not in metadata:
        return None
    try:
        return msgspec.convert(metadata[MARK], TaskMark)
    except msgspec.ValidationError as error:
        raise DataError(f"{where}: what egocross-eval wrote there isn't of a known form: {explained(error)}") from error


def _answers(log: Path, task: str, *, api: bool) -> Iterator[ForeignAnswer]:
    for where, line in log_lines(log):
        yield _answer(line, task, where, api=api)


def _answer(line: dict[str, Any], task: str, where: str, *, api: bool) -> ForeignAnswer:
    document = needed(line, "doc_id", int, where)
    filtered = first_text(needed(line, "filtered_resps", object, where), where)
    text = first_text(line["resps"], where) if "resps" in line else filtered
    if api and text == _NONE:
        text = ""
    row: dict[str, Any] = next((line[metric] for metric in _METRICS if isinstance(line.get(metric), dict)), {})
    tokens = _tokens(line.get("token_counts"))
    response = response_of("", text, api=api)
    return ForeignAnswer(
        place=where,
        question=question_name(row),
        position=f"{task}/{document}",
        text=text,
        failure=response.failure,
        label=_label(row, filtered),
        score=row.get("score") if isinstance(row.get("score"), int | float) else _score(line),
        prompt=asked_text(line.get("input")),
        options=told_options(optional(line, "doc", dict, {})),
        target=told_target(line.get("target")),
        input_tokens=count(tokens.get("input_tokens")),
        output_tokens=count(tokens.get("output_tokens")),
    )


def _tokens(counts: Any) -> dict[str, Any]:
    return counts[0] if isinstance(counts, list) and counts and isinstance(counts[0], dict) else {}


def _label(row: dict[str, Any], filtered: str) -> str | None:
    """The letter in a row of ours, or the filtered output where it's a single letter; None where neither says."""
    if isinstance(row.get("letter"), str):
        return str(row["letter"])
    short = filtered.strip()
    return short if len(short) == 1 and short.isalpha() else None


def _score(line: dict[str, Any]) -> float | None:
    """The only number of 0 or 1 among the line's metrics, where there's one."""
    own = {"doc_id", "target", "resps", "filtered_resps", "token_counts", "doc_hash", "input_media", "input"}
    found = [value for name, value in line.items() if name not in own and isinstance(value, int | float)]
    return float(found[0]) if len(found) == 1 and found[0] in (0, 1) else None
