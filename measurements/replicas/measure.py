"""What replicas cost: how near 8 of them come to an eighth of the time, and the driver's work for a question.

PYTHONPATH=.:tests/model_adapters/ray/simulated python measurements/replicas/measure.py [--replicas 8] [--seconds 0.05]

957 requests of a simulated engine that answers one after the other, each in the same time, are asked in one process and
then by replicas on a Ray cluster of this machine. The replicas are warm: loading is another matter. The driver's work
is its processor time over the replicas' round, less that of handing the same requests to the engine in one process
without latency. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator

from egocross_eval import Frame, GenerationSettings, ImagePart, Message, ModelAdapter, Prompt, Request, TextPart
from egocross_eval.contracts.registry import registry
from egocross_eval.model_adapters.spec import build_adapter, parse_spec

QUESTIONS = 957
CLIPS = 300
FRAMES = 11


def requests(count: int = QUESTIONS) -> Iterator[Request]:
    """As many as the testbed has, with as many frames, some three about each clip."""
    for number in range(count):
        clip = number * CLIPS // max(count, CLIPS)
        frames = [
            Frame(name=f"egocross_testbed/clip_{clip}/frame_{place:05}.jpg", time=0.5 * place)
            for place in range(FRAMES)
        ]
        parts = [ImagePart(frame=frame, path=f"/data/egocross/{frame.name}") for frame in frames]
        text = TextPart(
            text="Which object does the person pick up next, as far as the frames show it?\n" + "A. a cup\n" * 4
        )
        yield Request(
            key=f"clip_{clip}_q{number}",
            prompt=Prompt(messages=(Message(role="user", parts=(*parts, text)),), style="letter"),
            settings=GenerationSettings(),
            options=dict.fromkeys("ABCD", "a cup"),
            choices=tuple("ABCD"),
            labels={"domain": "animal", "cluster": f"clip_{clip}"},
            frame_hashes=("0" * 32,) * FRAMES,
            content_hash="0" * 64,
        )


def timed(adapter: ModelAdapter, count: int = QUESTIONS) -> tuple[float, float]:
    """Wall and processor seconds of a round."""
    begun, worked = time.perf_counter(), time.process_time()
    answered = {response.key for response in adapter.generate(requests(count))}
    assert len(answered) == count
    return time.perf_counter() - begun, time.process_time() - worked


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--replicas", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    alone = build_adapter(parse_spec("simulated:x"), registry())
    own = min(timed(alone)[1] for _ in range(3))
    spec = f"ray:simulated:x,seconds={given.seconds},replicas={given.replicas},cpus=0.1"
    replicas = build_adapter(parse_spec(spec), registry())
    try:
        begun = time.perf_counter()
        while len(ready := ready_replicas(replicas)) < given.replicas:
            timed(replicas, 4 * given.replicas)
        starting = time.perf_counter() - begun
        rounds = [timed(replicas) for _ in range(given.rounds)]
    finally:
        replicas.close()
    ideal = QUESTIONS * given.seconds / given.replicas
    said = {
        "replicas": len(ready),
        "seconds_until_all_were_ready": round(starting, 1),
        "ideal_seconds": round(ideal, 2),
        "seconds": [round(wall, 2) for wall, _ in rounds],
        "best_over_ideal": round(min(wall for wall, _ in rounds) / ideal, 3),
        "driver_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "driver_ms_a_question": [round(1000 * (worked - own) / QUESTIONS, 3) for _, worked in rounds],
    }
    sys.stdout.write(json.dumps(said, indent=1) + "\n")
    return 0


def ready_replicas(adapter: ModelAdapter) -> list[object]:
    """Replicas that were checked."""
    team = getattr(adapter, "_team", None)
    return [member for member in team.members if member.ready] if team is not None else []


if __name__ == "__main__":
    sys.exit(main())
