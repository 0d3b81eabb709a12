"""Evaluates new checkpoints one after the other and keeps what came of them in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from egocross_eval.documents import decode_json
from egocross_eval.errors import UsageError
from egocross_eval.files import read_bytes, write_file
from egocross_eval.leaderboard.together import write_board
from egocross_eval.runs.locks import acquire
from egocross_eval.runs.options import RunOptions
from egocross_eval.runs.session import differences
from egocross_eval.runs.store import LOCK_FILE, RunFolder, pretty_json, questions_hash
from egocross_eval.schema import Figure
from egocross_eval.scoring.comparison import ComparedRun
from egocross_eval.sweeps.planned import Made, PlannedRun, Plans, Watch, carry_out
from egocross_eval.watching.checkpoints import (
    Found,
    Stamp,
    found_in,
    is_quiet,
    is_whole,
    lacking,
    schedule_of,
    spec_of,
    stamp_of,
    training_ended,
    weights_of,
)
from egocross_eval.watching.curve import curve_svg
from egocross_eval.watching.looks import Look, due, look_at, look_places

if TYPE_CHECKING:
    from filelock import BaseFileLock

WATCH_FILE = "watch.json"
CURVE_FILE = "curve.svg"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that was evaluated."""

    step: int
    run: str
    """Name of its run folder."""
    figure: Figure
    weights: str = ""
    """Hash of its weights and configuration; early records don't say."""
    look: Look | None = None
    """Where one was planned here."""


class WatchRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`watch.json`."""

    model: str
    """Model spec with `{}` in place of the checkpoint."""
    every: int
    planned: int = 0
    """Checkpoints that the looks were planned for; 0: not known, so there are none."""
    apart: int = 0
    """Steps from one planned checkpoint to the next, as the trainer says; 0: they are counted as they come."""
    against: str = ""
    """Run that checkpoints are compared with; empty: that of the step `base`."""
    base: int | None = None
    """Step of the checkpoint that was evaluated first, which the others are compared with whatever comes later; None
    with `against`, and before one is evaluated."""
    points: tuple[Point, ...] = ()

    def place(self, step: int, count: int) -> int:
        """Which of the planned checkpoints the one at `step` is, counted from 1; the `count`th where no more is known.

        Where the trainer removes old ones before they are evaluated, the others keep their places.
        """
        return step // self.apart if self.apart else count

    def due(self, step: int, count: int) -> int:
        """The number of the look that is planned at the checkpoint at `step`, the `count`th; 0: none."""
        return due(self.place(step, count), self.planned) if self.planned else 0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be watched, and how."""

    folder: Path
    output: Path
    model: str
    options: RunOptions
    every: int = 1
    planned: int = 0
    against: Path | None = None


class Watcher:
    """Goes over the checkpoints again and again; all that it knows is in its folder, which no other process writes
    until it's closed."""

    def __init__(self, asked: Asked, watch: Watch) -> None:
        """Raises `UsageError` for a spec without `{}`, for a folder of another watch, and for one at which another
        process is at work."""
        if "{}" not in asked.model:
            raise UsageError(f"--model {asked.model!r}: put {{}} in the place of the checkpoint, e.g. hf:{{}}")
        if not asked.folder.is_dir():
            raise UsageError(f"{asked.folder} is no folder; name the one that the checkpoint-N folders come into")
        self._asked = asked
        self._watch = watch
        self._plans = Plans()
        self._plans(asked.options)
        self._broken: set[str] = set()
        self._seen: dict[str, Stamp] = {}
        self._lock = _locked(asked.output)
        try:
            self.record = self._opened()
            self._look_back()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets other processes write its folder."""
        self._lock.release()

    def _opened(self) -> WatchRecord:
        asked = self._asked
        path = asked.output / WATCH_FILE
        against = str(asked.against.resolve()) if asked.against is not None else ""
        if asked.against is not None:
            RunFolder(asked.against).record()
        fresh = WatchRecord(model=asked.model, every=asked.every, planned=asked.planned, against=against)
        if not path.is_file():
            return fresh
        known = decode_json(read_bytes(path, follow=False), WatchRecord, str(path))
        if known.base is None and known.points and not known.against:
            known = _anew(known)
        wanted = msgspec.structs.replace(
            fresh, planned=asked.planned or known.planned, apart=known.apart, base=known.base, points=known.points
        )
        for field in ("model", "every", "planned", "against"):
            before, now = getattr(known, field), getattr(wanted, field)
            if before != now and not (field == "planned" and not before):
                raise UsageError(
                    f"{asked.output} watches with --{field} {before or 'left out'}, and looks were planned so; choose "
                    "another --output, or leave it as it was"
                )
        return wanted

    def step(self, after: Callable[[Made], None]) -> list[Point]:
        """Evaluates what is whole and new; the new points. `after` is told what became of each run.

        Raises `UsageError` where a checkpoint isn't the one that was evaluated under its name. KeyboardInterrupt comes
        through: the next call goes on in the run that was under way.
        """
        self._refuse_changed()
        added = []
        for one in self._open():
            if is_whole(one):
                point = self._evaluated(one, after)
                added += [point] if point is not None else []
        self._look_back()
        return added

    def _refuse_changed(self) -> None:
        """Looks at evaluated checkpoints whose files were written since, or that this process hasn't seen yet."""
        done = {point.step: point for point in self.record.points}
        for one in found_in(self._asked.folder, self._asked.every):
            stamp = stamp_of(one)
            point = done.get(one.step)
            if point is None or stamp == self._seen.get(one.name) or not is_whole(one):
                continue
            weights = weights_of(one) if point.weights else ""
            if bool(weights) != bool(point.weights) or stamp_of(one) != stamp or not is_whole(one):
                continue  # it is being written or removed: the next look tells
            self._refuse_another(one, point, weights)
            self._seen[one.name] = stamp

    def _refuse_another(self, one: Found, point: Point, weights: str) -> None:
        """Raises `UsageError` where the run of a checkpoint was made with other settings, or other weights."""
        path = self._asked.output / point.run
        before, plan = RunFolder(path).record(), self._plans(self._asked.options)
        now = msgspec.structs.replace(
            before,
            benchmark=plan.benchmark.record(),
            settings=plan.settings,
            question_count=len(plan.questions),
            questions_hash=questions_hash(plan.questions),
        )
        found = differences(before, now)
        if weights != point.weights:
            found.append(("weights and configuration", point.weights[:12], weights[:12]))
        if changed := [f"{name}: {there!r} there, {here!r} now" for name, there, here in found]:
            raise UsageError(
                f"{one.path} isn't as it was evaluated in {path}: {'; '.join(changed)}. For a training that was begun "
                "anew, or other settings, choose another --output"
            )

    def _look_back(self) -> None:
        """Looks at checkpoints that were evaluated before it was known how many there'll be: their runs are there."""
        points = self.record.points
        found = [
            point if point.look is not None else msgspec.structs.replace(point, look=self._look(point, place))
            for place, point in enumerate(points)
        ]
        if tuple(found) != points:
            self.record = msgspec.structs.replace(self.record, points=tuple(found))
            self._write()

    def passed_over(self, *, under_way: bool) -> dict[str, str]:
        """By name, the checkpoints that aren't evaluated as they aren't whole, and why; those that may still be written
        only if `under_way`."""
        done = {point.step for point in self.record.points}
        found = [one for one in found_in(self._asked.folder, self._asked.every) if one.step not in done]
        reasons = {one.name: lacking(one) for one in found if under_way or is_quiet(one)}
        return {name: reason for name, reason in reasons.items() if reason}

    def ended(self) -> bool:
        """Whether the last of the planned checkpoints is evaluated, or the training is over and all of it is."""
        points = self.record.points
        if points and 0 < self.record.planned <= self.record.place(points[-1].step, len(points)):
            return True
        return training_ended(self._asked.folder) and not any(map(is_whole, self._open()))

    def between(self) -> list[Found]:
        """Checkpoints that are there and at no step that is watched, where none is at such a one."""
        return [] if found_in(self._asked.folder, self._asked.every) else found_in(self._asked.folder, 1)

    def _open(self) -> list[Found]:
        """Checkpoints that aren't evaluated yet, and didn't fail before this."""
        done = {point.step for point in self.record.points}
        found = found_in(self._asked.folder, self._asked.every)
        return [one for one in found if one.step not in done and one.name not in self._broken]

    def _evaluated(self, one: Found, after: Callable[[Made], None]) -> Point | None:
        try:
            spec, stamp, weights = spec_of(self._asked.model, one), stamp_of(one), weights_of(one)
        except UsageError:
            if is_whole(one):
                raise
            return None  # the trainer removed it just now
        planned = PlannedRun(
            name=one.name, model=spec, options=self._asked.options, folder=self._asked.output / one.name
        )
        schedule = schedule_of(one, self._asked.every)
        if schedule is not None and schedule.number and not self.record.planned:
            self.record = msgspec.structs.replace(self.record, planned=schedule.number, apart=schedule.apart)
        (made,) = carry_out([planned], watch=self._watch, after=after, plans=self._plans)
        if made.run is None or not made.complete or made.run.results.micro is None:
            # It's tried again by the next command; this one goes on with others.
            self._broken.add(one.name)
            return None
        self._seen[one.name] = stamp
        point = Point(step=one.step, run=one.name, figure=made.run.results.micro, weights=weights)
        if self.record.base is None and not self.record.against:
            self.record = msgspec.structs.replace(self.record, base=one.step)
        point = msgspec.structs.replace(point, look=self._look(point, len(self.record.points)))
        points = sorted([*self.record.points, point], key=lambda item: item.step)
        self.record = msgspec.structs.replace(self.record, points=tuple(points))
        self._write()
        return point

    def _look(self, point: Point, before: int) -> Look | None:
        """The look that was planned at this checkpoint, which `before` others precede, against the base or the run that
        was given."""
        number = self.record.due(point.step, before + 1)
        if not number or point.step == self.record.base:
            return None
        base = self._base()
        of = len(look_places(self.record.planned))
        return look_at(_compared(base, "first"), _compared(self._asked.output / point.run, "second"), number, of)

    def _base(self) -> Path:
        """The run that checkpoints are compared with."""
        if self.record.against:
            return Path(self.record.against)
        return self._asked.output / next(point.run for point in self.record.points if point.step == self.record.base)

    def _write(self) -> None:
        output = self._asked.output
        write_board([output / point.run for point in self.record.points], output)
        write_file(output / CURVE_FILE, curve_svg([(p.step, p.figure) for p in self.record.points]))
        write_file(output / WATCH_FILE, pretty_json(self.record))


def _locked(folder: Path) -> BaseFileLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"can't make the folder {folder}: {error.strerror or error}") from error
    return acquire(folder / LOCK_FILE)


def _anew(record: WatchRecord) -> WatchRecord:
    """A record that doesn't say what its looks were made against: they are made again, against the smallest step."""
    points = tuple(msgspec.structs.replace(point, look=None) for point in record.points)
    return msgspec.structs.replace(record, base=points[0].step, points=points)


def _compared(path: Path, label: str) -> ComparedRun:
    folder = RunFolder(path)
    return ComparedRun(label=label, record=folder.record(), samples=tuple(folder.samples()))
