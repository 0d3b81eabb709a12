"""Training examples: questions of the support set (or a file of that form) with their answers, split by video."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from egocross_eval.contracts.registry import Registry, registry
from egocross_eval.contracts.task import Benchmark, DataSource, Questions
from egocross_eval.counted import counted
from egocross_eval.errors import DataError, UsageError, unknown
from egocross_eval.frames.roots import DataRoot
from egocross_eval.runs.plan import limited
from egocross_eval.schema import Question
from egocross_eval.tasks.select import load_questions


class Examples(msgspec.Struct, frozen=True, kw_only=True):
    """What is trained on and what is held out."""

    root: DataRoot
    data: Path | None = None
    """Where the split that is never trained on is looked for, as `DataSource.root` has it; None: below `root`."""
    files: tuple[Path, ...]
    train: tuple[Question, ...]
    holdout: tuple[Question, ...] = ()
    faulty: dict[str, str] = {}
    """Examples of both parts that better aren't trained on, by key, and what is wrong with each."""


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """How examples are held out: a share of each domain, or one of several folds; by source video, not by question."""

    holdout: float = 0.0
    folds: int = 0
    fold: int = 1
    """Which fold is held out, from 1."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises `UsageError` for a share or folds that can't be."""
        if self.holdout and self.folds:
            raise UsageError("--holdout and --folds exclude each other")
        if self.folds and (self.folds < 2 or not 1 <= self.fold <= self.folds):
            raise UsageError(f"--folds {self.folds} --fold {self.fold}: 2 folds or more, and the fold is one of them")
        if not self.folds and self.fold != 1:
            raise UsageError(f"--fold {self.fold}: --folds says how many there are")
        if self.holdout and not 0 < self.holdout < 1:
            raise UsageError(f"--holdout {self.holdout}: a share between 0 and 1, e.g. 0.2")


def trainable(known: Registry, tasks: Sequence[str] = ()) -> Benchmark:
    """The benchmark of the tasks, or without any the one that has examples to train on.

    Raises `UsageError` where there's none, or more than one.
    """
    found = {known.task(name).benchmark.name: known.task(name).benchmark for name in tasks} or {
        name: benchmark
        for name, benchmark in known.benchmarks().items()
        if benchmark.training is not None and benchmark.training.by_default
    }
    if len(found) != 1:
        raise UsageError(f"examples of one benchmark can be trained on; here are: {', '.join(found) or 'none'}")
    (benchmark,) = found.values()
    if benchmark.training is None:
        raise UsageError(f"{benchmark.title} has no examples to train on")
    return benchmark


def load_split(
    benchmark: Benchmark, which: Literal["examples", "tested"], root: Path | None, questions_file: Path | None = None
) -> Questions:
    """All questions of the split that is trained on, or of the one that never is."""
    assert benchmark.training is not None
    split = getattr(benchmark.training, which)
    tasks = [task for task in registry().tasks.values() if task.benchmark.name == benchmark.name]
    return load_questions(tasks, DataSource(root=root, split=split, questions_file=questions_file))


def read_examples(
    root: Path | None,
    *,
    benchmark: Benchmark | None = None,
    questions_file: Path | None = None,
    domains: Sequence[str] = (),
    split: Split | None = None,
    leave_out_wrong_clips: bool = False,
    limit: int | None = None,
) -> Examples:
    """Reads the examples of `domains` (all by default) and holds out what `split` says.

    Domains are the groups of the benchmark's macro axis; without a `benchmark` it's the one that can be trained on.
    `limit` keeps so many of them, drawn by the split's seed.
    Raises `DataError` naming the file and the example for a reply other than A to D, a number of `<image>` marks that
    isn't the number of images, or another malformed example; `UsageError` for an impossible split.
    """
    benchmark = benchmark or trainable(registry())
    groups = benchmark.groups()
    for domain in domains:
        if domain not in groups:
            raise unknown("domain", domain, [*groups, "all"])
    loaded = load_split(benchmark, "examples", root, questions_file)
    part = benchmark.record().part
    kept = [q for q in loaded.questions if not domains or part(q) in domains]
    if leave_out_wrong_clips:
        kept = [q for q in kept if q.key not in loaded.faulty]
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit}: at least 1")
    kept = list(limited(kept, limit, (split or Split()).seed))
    if not kept:
        raise DataError(f"{loaded.files[0]} has no example of {', '.join(domains) or 'any domain'}")
    names = {q.key for q in kept}
    held = held_out(kept, split or Split())
    return Examples(
        root=DataRoot(loaded.root or Path()),
        data=loaded.data,
        files=loaded.files,
        train=tuple(q for q in kept if q.cluster not in held),
        holdout=tuple(q for q in kept if q.cluster in held),
        faulty={key: reason for key, reason in loaded.faulty.items() if key in names},
    )


def held_out(questions: Sequence[Question], split: Split) -> frozenset[str]:
    """The videos held out, domain by domain; both parts get a video of every domain, or it's a `UsageError`."""
    if not split.holdout and not split.folds:
        return frozenset()
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
            f"{domain} has {counted(len(sizes), 'source video')}, too few for {parts} parts that share none; "
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
