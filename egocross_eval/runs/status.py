"""How a run stands, told from its folder alone."""

from __future__ import annotations

from collections import Counter, deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from egocross_eval.runs.activity import EVERY, Activity, awaited, is_stall, pace, read_activity, silence
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import Sample

RECENT = 64
"""Answers that the rate of now is made of."""

SILENT = 5 * EVERY
"""Seconds after which a process that writes nothing any more is taken to be gone."""

State = Literal["new", "loading", "running", "stalled", "stopped", "finished"]


class ReplicaStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a replica did."""

    name: str
    answered: int
    last: str
    """When it answered last."""
    rate: float | None = None
    """Questions a second: its part of the run's rate."""


class RunStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a run stands."""

    name: str
    model: str
    state: State
    total: int
    done: int
    """Questions that need not be asked again."""
    outcomes: dict[str, int]
    failures: dict[str, int]
    """Failed questions by kind."""
    rate: float | None
    """Questions a second: of now where it runs, of all its time where it doesn't."""
    seconds_left: float | None
    tokens_in: float | None
    """Input tokens a second, by the rate."""
    tokens_out: float | None
    replicas: tuple[ReplicaStatus, ...]
    waits: str
    """What it waits for and since when, where it is loading or stalled."""

    @property
    def right_share(self) -> float | None:
        """Share of what was answered and scored that is right."""
        scored = sum(self.outcomes.get(name, 0) for name in ("right", "wrong", "not_parsed"))
        return self.outcomes.get("right", 0) / scored if scored else None


class _Seen:
    """What samples add up to."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.replicas: dict[str, ReplicaStatus] = {}
        self.recent: deque[tuple[str, int, int]] = deque(maxlen=RECENT)
        self.recent_names: deque[str] = deque(maxlen=RECENT)

    def take(self, sample: Sample) -> None:
        self.outcomes[sample.outcome] += 1
        if sample.failure is not None:
            self.failures[sample.failure.kind] += 1
        cost = sample.cost
        if cost.cached < cost.requests:
            self.recent.append((sample.finished_at, cost.input_tokens or 0, cost.output_tokens or 0))
        for name in {answer.response.replica for answer in sample.answers} - {""}:
            self.recent_names.append(name)
            known = self.replicas.get(name)
            last = max(sample.finished_at, known.last if known else "")
            self.replicas[name] = ReplicaStatus(name=name, answered=(known.answered if known else 0) + 1, last=last)

    def by_replica(self, rate: float | None) -> tuple[ReplicaStatus, ...]:
        """The replicas by name, each with its part of the run's rate."""
        counts, number = Counter(self.recent_names), max(1, len(self.recent_names))
        return tuple(
            msgspec.structs.replace(one, rate=rate * counts[name] / number if rate else None)
            for name, one in sorted(self.replicas.items())
        )


def run_status(path: Path, now: datetime | None = None) -> RunStatus:
    """How the run in a folder stands. Raises `UsageError` where there's none."""
    folder, now = RunFolder(path), now or datetime.now(UTC)
    record, activity, seen = folder.record(), read_activity(path), _Seen()
    for sample in sorted(folder.final_samples(), key=lambda sample: sample.finished_at):
        seen.take(sample)
    done = seen.outcomes.total() - seen.outcomes["errored"]
    state = _state(activity, seen, record.question_count, now)
    rate = _rate(activity, seen, now) if state in ("running", "stalled") else pace(activity)
    number = max(1, len(seen.recent))
    tokens_in = sum(count for _, count, _ in seen.recent) / number
    tokens_out = sum(count for _, _, count in seen.recent) / number
    left = record.question_count - done
    return RunStatus(
        name=path.resolve().name,
        model=record.model.name,
        state=state,
        total=record.question_count,
        done=done,
        outcomes=dict(seen.outcomes),
        failures=dict(seen.failures),
        rate=rate,
        seconds_left=left / rate if rate and left and state == "running" else None,
        tokens_in=rate * tokens_in if rate and tokens_in else None,
        tokens_out=rate * tokens_out if rate and tokens_out else None,
        replicas=seen.by_replica(rate),
        waits=_waits(activity, now) if state in ("loading", "stalled") else "",
    )


def _state(activity: Activity | None, seen: _Seen, total: int, now: datetime) -> State:
    stint = activity.stints[-1] if activity is not None and activity.stints else None
    if stint is None or stint.ended or _since(stint.seen, now) > SILENT:
        open_ = total - seen.outcomes.total() + seen.outcomes["errored"]
        return "stopped" if open_ else "finished"
    if is_stall(stint, now):
        return "stalled"
    return "running" if stint.answered else "loading"


def _rate(activity: Activity | None, seen: _Seen, now: datetime) -> float | None:
    """Questions a second over the latest answers of the process at work, up to now."""
    if activity is None:
        return None
    times = [time for time, _, _ in seen.recent if time >= activity.stints[-1].begun]
    if len(times) < 2:
        return None
    passed = _since(times[0], now)
    return (len(times) - 1) / passed if passed > 0 else None


def _waits(activity: Activity | None, now: datetime) -> str:
    if activity is None:
        return ""
    stint = activity.stints[-1]
    last = f"the last answer was {silence(stint, now):.0f} s ago" if stint.last else ""
    return "; ".join(filter(None, [awaited(activity, now), last]))


def _since(time: str, now: datetime) -> float:
    return (now - datetime.fromisoformat(time)).total_seconds()
