"""1,000 checkpoints x 957 questions on 256 replicas, with failures: how long, how idle, and what would break next.

python measurements/replicas/simulate.py [--checkpoints 1000] [--replicas 256] [--driver-ms 0.7]

A simulation of events in virtual time around the real dispatcher: batches, deaths, returns and suspects are those of
`model_adapters/ray/dispatch.py`. Everything else is drawn: a replica loads its model in 60 to 120 seconds, works on 16
questions at a time, each in 4 to 16 seconds (an 8B model on one GPU answers some 1.6 a second so), and dies at random,
every 4 hours on average. A checkpoint's run has a driver of its own, which takes `--driver-ms` for each question, the
figure that measure.py finds; as many runs go on at once as there are replicas for. The load of the writers counts the
bytes that a sample of the demo benchmark has; the driver's memory is measured for runs of this many questions.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import resource
import sys
import time
from collections.abc import Iterator

from egocross_eval import Frame, GenerationSettings, ImagePart, Message, Prompt, Request
from egocross_eval.model_adapters.ray.dispatch import Dispatch

QUESTIONS, CLIPS = 957, 300
AT_ONCE = 16
LEAST, MOST = 4.0, 16.0
LOADING = 60.0, 120.0
LIFE = 4 * 3600.0
SAMPLE_BYTES = 4000


def requests() -> Iterator[Request]:
    """Questions as the dispatcher sees them: their clip is what counts."""
    for number in range(QUESTIONS):
        frame = ImagePart(frame=Frame(name="f"), path=f"/{number * CLIPS // QUESTIONS}")
        prompt = Prompt(messages=(Message(role="user", parts=(frame,)),), style="letter")
        yield Request(key=str(number), prompt=prompt, settings=GenerationSettings())


class Run:
    """A checkpoint's run and its driver: it says when it ended, and adds up what replicas did for it."""

    def __init__(self, draw: random.Random, replicas: int, begun: float, driver: float) -> None:
        self.draw, self.begun, self.driver = draw, begun, driver
        self.dispatch = Dispatch(requests())
        self.free_at = begun
        """When the driver has done what it was given."""
        self.waited = 0.0
        self.busy = 0.0
        self.born: list[tuple[float, float]] = []
        """When each replica began to load, and how long that takes."""
        self.deaths = self.failures = self.answers = 0
        self.events: list[tuple[float, int, str, str, str]] = []
        self.number = 0
        self.working: dict[str, int] = {}
        for place in range(replicas):
            self.join(f"{place}", begun)

    def add(self, at: float, kind: str, replica: str, key: str = "") -> None:
        self.number += 1
        heapq.heappush(self.events, (at, self.number, kind, replica, key))

    def join(self, replica: str, at: float) -> None:
        """A new replica, which loads first and will die some day."""
        loading = self.draw.uniform(*LOADING)
        self.born.append((at, loading))
        self.working[replica] = 0
        self.add(at + loading, "wants", replica)
        self.add(at + loading + self.draw.expovariate(1 / LIFE), "dies", replica)

    def serve(self, at: float) -> float:
        """When the driver, which does one thing after the other, gets to what comes now."""
        begun = max(at, self.free_at)
        self.waited += begun - at
        self.free_at = begun + self.driver
        return self.free_at

    def go(self) -> float:
        """Runs to the end; the time of the last answer, when replicas end that are still loading."""
        at = self.begun
        while not self.dispatch.done:
            at, _, kind, replica, key = heapq.heappop(self.events)
            if replica not in self.working:
                continue
            if kind == "dies":
                self.die(replica, at)
            elif kind == "answers":
                if self.dispatch.answered(replica, key):
                    self.answers += 1
                    self.working[replica] -= 1
                    self.give(replica, self.serve(at))
            else:
                self.give(replica, self.serve(at))
        return at

    def give(self, replica: str, at: float) -> None:
        """Hands out what the replica has room for."""
        given, _ = self.dispatch.hand_out(replica, max(0, AT_ONCE + 8 - self.working[replica]))
        for request in given:
            self.working[replica] += 1
            # What is beyond its places waits there for one.
            queued = max(0, self.working[replica] - AT_ONCE) * (LEAST + MOST) / 2 / AT_ONCE
            took = self.draw.uniform(LEAST, MOST)
            self.busy += took / AT_ONCE
            self.add(at + queued + took, "answers", replica, request.key)

    def die(self, replica: str, at: float) -> None:
        self.deaths += 1
        self.failures += len(self.dispatch.died(replica, "killed"))
        del self.working[replica]
        self.join(f"{replica}+", at)
        for other in list(self.working):
            self.add(at, "wants", other)


def sweep(checkpoints: int, replicas: int, each: int, driver: float, seed: int) -> dict[str, float]:
    """All checkpoints, `each` replicas for one, placed as replicas free up."""
    draw = random.Random(seed)
    lanes = [0.0] * (replicas // each)
    heapq.heapify(lanes)
    busy = loading = waited = 0.0
    deaths = failures = answers = 0
    for _ in range(checkpoints):
        begun = heapq.heappop(lanes)
        run = Run(draw, each, begun, driver)
        ended = run.go()
        heapq.heappush(lanes, ended)
        loading += sum(max(0.0, min(took, ended - at)) for at, took in run.born)
        busy, waited = busy + run.busy, waited + run.waited
        deaths, failures, answers = deaths + run.deaths, failures + run.failures, answers + run.answers
    ended = max(lanes)
    whole = ended * replicas
    return {
        "replicas_a_run": each,
        "runs_at_once": replicas // each,
        "hours": round(ended / 3600, 2),
        "working_share": round(busy / whole, 3),
        "loading_share": round(loading / whole, 3),
        "idle_share": round(1 - (busy + loading) / whole, 3),
        "deaths": deaths,
        "failed_questions": failures,
        "answered": answers,
        "samples_a_second": round(answers / ended, 1),
        "megabytes_a_second": round(answers * SAMPLE_BYTES / ended / 1e6, 2),
        "driver_wait_ms_a_question": round(1000 * waited / answers, 2),
    }


def main() -> int:
    """Simulates and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoints", type=int, default=1000)
    parser.add_argument("--replicas", type=int, default=256)
    parser.add_argument("--driver-ms", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    begun = time.perf_counter()
    for each in (1, 8, 32, 256):
        said = sweep(given.checkpoints, given.replicas, each, given.driver_ms / 1000, given.seed)
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took = {"simulated_in_s": round(time.perf_counter() - begun), "memory_mb": round(memory)}
    sys.stdout.write(json.dumps(took) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
