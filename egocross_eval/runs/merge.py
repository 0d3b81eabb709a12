"""Shards put together: one run of all their questions, after it's proved that it is one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from egocross_eval.counted import counted
from egocross_eval.errors import UsageError
from egocross_eval.files import new_folder
from egocross_eval.runs.activity import Activity, read_activity
from egocross_eval.runs.session import differences
from egocross_eval.runs.store import (
    ACTIVITY_FILE,
    RunFolder,
    SampleWriter,
    pretty_json,
    questions_hash,
    write_atomically,
)
from egocross_eval.schema import Question, RunRecord, Sample, ShardRecord


class _Part(NamedTuple):
    """A shard's run."""

    folder: RunFolder
    record: RunRecord
    shard: ShardRecord


def merge_shards(paths: Sequence[Path], output: Path) -> RunFolder:
    """Writes the run that shards make into the new folder `output`; derived files are for the caller.

    Raises `UsageError` naming the shard and what is wrong with it: it's none, was made with other settings, model or
    data, is there twice or not at all, isn't finished, or holds other questions than the whole run has.
    """
    parts = [_part(path) for path in paths]
    first = parts[0]
    for part in parts[1:]:
        _refuse_others(first, part)
    ordered = _every_one_once(parts)
    questions = _questions(ordered)
    samples = [sample for part in ordered for sample in _samples(part)]
    if RunFolder(output).exists() or not RunFolder(output).is_unstarted():
        raise UsageError(f"{output} is not empty; choose another --output")
    settings = msgspec.structs.replace(first.record.settings, shard="")
    record = msgspec.structs.replace(
        first.record,
        settings=settings,
        shard=None,
        question_count=len(questions),
        questions_hash=first.shard.questions_hash,
        created_at=min(part.record.created_at for part in parts),
    )
    if output.is_dir():
        output.rmdir()
    with new_folder(output) as scratch:
        folder = RunFolder(scratch)
        folder.start(record, questions)
        with SampleWriter(folder) as writer:
            for sample in sorted(samples, key=lambda sample: sample.question.id):
                writer.write(sample)
        stints = [stint for part in ordered if (found := read_activity(part.folder.path)) for stint in found.stints]
        write_atomically(scratch / ACTIVITY_FILE, pretty_json(Activity(stints=tuple(stints))))
    return RunFolder(output)


def _part(path: Path) -> _Part:
    folder = RunFolder(path)
    record = folder.record()
    if record.shard is None:
        raise UsageError(f"{path} is no shard: it was run without --shard")
    return _Part(folder, record, record.shard)


def _refuse_others(first: _Part, other: _Part) -> None:
    """Refuses a shard of another run."""
    found = [entry for entry in differences(first.record, other.record) if entry[0] not in ("shard", "questions")]
    hashes = first.record.data_hashes, other.record.data_hashes
    found += [
        (name, hashes[0].get(name, "none")[:12], hashes[1].get(name, "none")[:12])
        for name in dict.fromkeys((*hashes[0], *hashes[1]))
        if hashes[0].get(name) != hashes[1].get(name)
    ]
    whole = [(part.shard.of, part.shard.question_count, part.shard.questions_hash) for part in (first, other)]
    if whole[0] != whole[1]:
        texts = [f"of {of}, of {counted(count, 'question')} ({name[:12]})" for of, count, name in whole]
        found.append(("shard", texts[0], texts[1]))
    if found:
        lines = [f"  {key}: {before!r} in the one, {after!r} in the other" for key, before, after in found]
        raise UsageError(
            f"{first.folder.path} and {other.folder.path} are shards of different runs:\n" + "\n".join(lines)
        )


def _every_one_once(parts: Sequence[_Part]) -> list[_Part]:
    """The shards in the order of their numbers."""
    by_number: dict[int, _Part] = {}
    for part in parts:
        number = part.shard.number
        if number in by_number:
            both = f"{by_number[number].folder.path} and {part.folder.path}"
            raise UsageError(f"{both} are both shard {number}/{part.shard.of}; name each once")
        by_number[number] = part
    of = parts[0].shard.of
    missing = [f"{number}/{of}" for number in range(1, of + 1) if number not in by_number]
    if missing:
        raise UsageError(f"shards are missing: {', '.join(missing)}; run them with --shard, and name all {of}")
    return [by_number[number] for number in sorted(by_number)]


def _questions(parts: Sequence[_Part]) -> list[Question]:
    """All questions in the order of the whole run, proved to be the ones that it has."""
    placed: dict[int, tuple[Question, _Part]] = {}
    for part in parts:
        for place, question in zip(part.shard.places, part.folder.questions(), strict=False):
            if place in placed:
                other = placed[place][1].folder.path
                raise UsageError(f"{other} and {part.folder.path} overlap: both hold the question {question.key!r}")
            placed[place] = question, part
    whole = parts[0].shard
    questions = [placed[place][0] for place in sorted(placed)]
    if sorted(placed) != list(range(whole.question_count)) or questions_hash(questions) != whole.questions_hash:
        raise UsageError(
            f"the shards hold {len(questions)} of {counted(whole.question_count, 'question')}, or others than "
            "the whole run; "
            "were their files changed?"
        )
    return questions


def _samples(part: _Part) -> list[Sample]:
    """The samples of a shard that is finished."""
    asked = {question.key for question in part.folder.questions()}
    samples = [sample for sample in part.folder.final_samples() if sample.key in asked]
    failed = sum(sample.outcome == "errored" for sample in samples)
    if open_ := len(asked) - len(samples) + failed:
        raise UsageError(
            f"{part.folder.path} is not finished: {counted(open_, 'question')} to ask yet; its command does"
        )
    return samples
