"""Training examples: questions of the support set (or a file of that form) with their answers, split by video."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec

from egocross_eval.contracts.task import DataSource
from egocross_eval.errors import DataError, UsageError, unknown
from egocross_eval.frames.roots import DataRoot
from egocross_eval.runs.plan import limited
from egocross_eval.schema import Question
from egocross_eval.tasks.egocross.catalogue import DOMAINS
from egocross_eval.tasks.egocross.notices import Notice
from egocross_eval.tasks.egocross.support import read_support_with_notices


class Examples(msgspec.Struct, frozen=True, kw_only=True):
    """What is trained on and what is held out."""

    root: DataRoot
    files: tuple[Path, ...]
    train: tuple[Question, ...]
    holdout: tuple[Question, ...] = ()
    notices: tuple[Notice, ...] = ()
    """What the reader found remarkable about single examples of both parts."""


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """How examples are held out: a share of each domain, or one of several folds; by source video, not by question."""

    holdout: float = 0.0
    folds: int = 0
    fold: int = 1
    """Which fold is held out, from 1."""
    seed: int = 0


def read_examples(
    root: Path,
    *,
    questions_file: Path | None = None,
    domains: Sequence[str] = (),
    split: Split | None = None,
    leave_out_wrong_clips: bool = False,
    limit: int | None = None,
) -> Examples:
    """Reads the examples of `domains` (all by default) and holds out what `split` says.

    `limit` keeps so many of them, drawn by the split's seed.
    Raises `DataError` naming the file and the example for a reply other than A to D, a number of `<image>` marks that
    isn't the number of images, or another malformed example; `UsageError` for an impossible split.
    """
    for domain in domains:
        if domain not in DOMAINS:
            raise unknown("domain", domain, [*DOMAINS, "all"])
    source = DataSource(root=root, split="support", questions_file=questions_file)
    loaded, notices = read_support_with_notices(source)
    wrong = {notice.question_id for notice in notices if notice.kind == "wrong_clip"}
    kept = [q for q in loaded.questions if not domains or q.label("domain") in domains]
    if leave_out_wrong_clips:
        kept = [q for q in kept if q.key not in wrong]
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit}: at least 1")
    kept = list(limited(kept, limit, (split or Split()).seed))
    if not kept:
        raise DataError(f"{loaded.files[0]} has no example of {', '.join(domains) or 'any domain'}")
    names = {q.key for q in kept}
    held = held_out(kept, split or Split())
    return Examples(
        root=DataRoot(loaded.root or Path()),
        files=loaded.files,
        train=tuple(q for q in kept if q.cluster not in held),
        holdout=tuple(q for q in kept if q.cluster in held),
        notices=tuple(notice for notice in notices if notice.question_id in names),
    )


def held_out(questions: Sequence[Question], split: Split) -> frozenset[str]:
    """The videos held out, domain by domain; both parts get a video of every domain, or it's a `UsageError`."""
    if not split.holdout and not split.folds:
        return frozenset()
    if split.holdout and split.folds:
        raise UsageError("--holdout and --folds exclude each other")
    if split.folds and (split.folds < 2 or not 1 <= split.fold <= split.folds):
        raise UsageError(f"--folds {split.folds} --fold {split.fold}: 2 folds or more, and the fold is one of them")
    if split.holdout and not 0 < split.holdout < 1:
        raise UsageError(f"--holdout {split.holdout}: a share between 0 and 1, e.g. 0.2")
    chosen: set[str] = set()
    for domain in dict.fromkeys(question.label("domain") for question in questions):
        sizes: dict[str, int] = defaultdict(int)
        for question in questions:
            if question.label("domain") == domain:
                sizes[question.cluster] += 1
        chosen |= _of_domain(domain, dict(sizes), split)
    return frozenset(chosen)


def _of_domain(domain: str, sizes: dict[str, int], split: Split) -> set[str]:
    parts = split.folds or 2
    if len(sizes) < parts:
        raise UsageError(
            f"{domain} has {len(sizes)} source videos, too few for {parts} parts that share none; "
            f"use fewer folds or leave --holdout out"
        )
    order = sorted(sizes, key=lambda video: hashlib.sha256(f"{split.seed}/{video}".encode()).digest())
    if split.folds:
        loads = [0] * split.folds
        folds: list[set[str]] = [set() for _ in loads]
        for video in sorted(order, key=lambda video: -sizes[video]):
            least = min(range(split.folds), key=lambda index: (loads[index], len(folds[index])))
            folds[least].add(video)
            loads[least] += sizes[video]
        return folds[split.fold - 1]
    wanted = split.holdout * sum(sizes.values())
    held: set[str] = set()
    count = 0
    for video in order:
        # A video is taken where that brings the share nearer to the one asked for.
        if len(held) < len(sizes) - 1 and (not held or abs(count + sizes[video] - wanted) < abs(count - wanted)):
            held.add(video)
            count += sizes[video]
    return held
