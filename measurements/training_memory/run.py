"""Memory that training takes of a GPU, beside what `train --dry-run` says; see README.md.

python measurements/training_memory/run.py --data ROOT --checkpoint DIR --recipe lora --max-pixels 360000 --steps 2
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from egocross_eval.contracts.registry import registry
from egocross_eval.settings import PromptSettings
from egocross_eval.training.environment import find_environment
from egocross_eval.training.estimates import GIB, RESERVE, memory_per_gpu
from egocross_eval.training.gpus import check_gpus, usable_gpus
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.planning import TrainPlan, plan_training
from egocross_eval.training.train import Watcher, train
from egocross_eval.training.trainer_process import Step

PROBE = Path(__file__).with_name("probe")


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A training beside its estimate; memory in GiB."""

    recipe: str
    pixels: int | None
    tokens: int
    """Of the longest example, estimated."""
    estimate: dict[str, float]
    """By use, for a GPU."""
    allocated: float
    """What torch's tensors took at most."""
    reserved: float
    """What torch held of the GPU at most."""
    card: float
    """What the driver says was taken at most, beyond what was before."""
    seconds: float
    """Of the last step."""
    losses: list[float]
    gpu: str
    versions: dict[str, str]

    @property
    def estimated(self) -> float:
        """All uses together."""
        return sum(self.estimate.values())


class Progress(Watcher):
    """Says what happens and when each step ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []
        self.losses: list[float] = []

    def say(self, text: str) -> None:
        print(f"  {text}", flush=True)

    def start(self, total: int, done: int) -> None:
        self.ends = [time.monotonic()]

    def step(self, step: Step) -> None:
        self.ends.append(time.monotonic())
        self.losses.append(step.loss if step.loss is not None else math.nan)
        print(f"  step {step.current_steps}: loss {step.loss}, {self.seconds:.1f} s", flush=True)

    @property
    def seconds(self) -> float:
        """Of the last step; of the first one, with all that comes before it."""
        return self.ends[-1] - self.ends[-2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data root with the support set and its frames")
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--recipe", default="lora")
    parser.add_argument("--max-pixels", type=int, help="by default the recipe's")
    parser.add_argument("--steps", type=int, default=2, help="2 or more: the optimizer's states are made by the first")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--python", type=Path, help="interpreter that has llamafactory")
    parser.add_argument("--json", type=Path, help="file that a line is added to")
    parser.add_argument("--log", type=Path, help="file that the trainer's output is copied to")
    parser.add_argument("--deepspeed", help="by default the recipe's")
    parser.add_argument("--gpus", type=int, help="by default the recipe's; 0 to try this script: nothing is measured")
    arguments = parser.parse_args()
    if not usable_gpus() and arguments.gpus != 0:
        raise SystemExit(
            "no NVIDIA GPU is seen here, and it's a GPU's memory that this measures; --gpus 0 trains without measuring"
        )
    with tempfile.TemporaryDirectory(prefix="training-memory-") as folder:
        measured = measure(arguments, Path(folder))
    if arguments.json is not None:
        with arguments.json.open("ab") as file:
            file.write(msgspec.json.encode(measured) + b"\n")
    show(measured)


def measure(arguments: argparse.Namespace, folder: Path) -> Measured:
    """Trains a few steps; of several examples a step, one is of the longest."""
    plan = planned(arguments, folder)
    check_gpus(plan.launch, arguments.python)
    found = find_environment(arguments.python, say=lambda text: print(f"  {text}", flush=True))
    notes, progress = folder / "notes", Progress()
    notes.mkdir()
    environment = msgspec.structs.replace(found, python=probed(found.python, notes, folder))
    before, driver = sum(gpu.used for gpu in usable_gpus()[:1]), folder / "driver.txt"
    try:
        with driver_watched(driver):
            train(plan, environment, watcher=progress)
    finally:
        if arguments.log is not None and (log := folder / "output" / "log.txt").is_file():
            arguments.log.write_bytes(log.read_bytes())
    seen = [json.loads(note.read_text(encoding="utf-8")) for note in notes.glob("*.json")]
    assert plan.size is not None
    return Measured(
        recipe=plan.recipe.name,
        pixels=plan.prompt.max_pixels,
        tokens=plan.longest,
        estimate=memory_per_gpu(plan.size, plan.recipe.arguments, plan.launch, plan.longest),
        allocated=max((note["allocated"] for note in seen), default=0) / GIB,
        reserved=max((note["reserved"] for note in seen), default=0) / GIB,
        card=max(map(float, driver.read_text(encoding="utf-8").split()), default=0.0) / 1024 - before,
        seconds=progress.seconds,
        losses=progress.losses,
        gpu=", ".join(gpu.name for gpu in usable_gpus()[:1]),
        versions=found.versions,
    )


def planned(arguments: argparse.Namespace, folder: Path) -> TrainPlan:
    """The recipe on few examples: those of median length and the longest ones, in turns."""
    options = TrainOptions(
        model=arguments.checkpoint,
        data=arguments.data,
        output=folder / "output",
        recipe=arguments.recipe,
        prompt=PromptSettings(max_pixels=arguments.max_pixels),
        gpus=arguments.gpus,
        deepspeed=arguments.deepspeed,
        changes=(*arguments.changes, f"max_steps={arguments.steps}", "disable_shuffling=true", "save_strategy=no"),
    )
    plan = plan_training(options, registry())
    # Two batches a step show what gradients take that wait for others; more of them take no more.
    accumulation = min(2, int(plan.recipe.number("gradient_accumulation_steps", 1)))
    options = msgspec.structs.replace(
        options, changes=(*options.changes, f"gradient_accumulation_steps={accumulation}")
    )
    plan = plan_training(options, registry())
    batches = arguments.steps * accumulation * plan.launch.workers
    return shortened(plan, batches * int(plan.recipe.number("per_device_train_batch_size", 8)))


def shortened(plan: TrainPlan, count: int) -> TrainPlan:
    """The plan with `count` of its examples, every second one of the longest and the very longest last."""
    by_length = sorted(range(len(plan.lengths)), key=lambda place: plan.lengths[place][1])
    if count < 2 or len(by_length) < count:
        raise SystemExit(f"{count} examples are trained on: at least 2, and there are {len(by_length)}")
    half = count // 2
    middle = (len(by_length) - half) // 2 - half // 2
    others, longest = by_length[middle : middle + count - half], by_length[-half:]
    chosen = [place for pair in zip(others[-half:], longest, strict=True) for place in pair]
    chosen = [*others[: count - 2 * half], *chosen]
    examples = msgspec.structs.replace(plan.examples, train=tuple(plan.examples.train[place] for place in chosen))
    return msgspec.structs.replace(
        plan,
        examples=examples,
        trained=tuple(plan.trained[place] for place in chosen),
        lengths=tuple(plan.lengths[place] for place in chosen),
    )


def probed(python: Path, notes: Path, folder: Path) -> Path:
    """A script that is this interpreter with the probe on its path."""
    script = folder / "python"
    paths = f'PYTHONPATH={shlex.quote(str(PROBE))}"${{PYTHONPATH:+:$PYTHONPATH}}"'
    lines = [
        "#!/bin/sh",
        f'EGOCROSS_MEMORY_PROBE={shlex.quote(str(notes))} {paths} exec {shlex.quote(str(python))} "$@"',
    ]
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    script.chmod(0o755)
    return script


@contextlib.contextmanager
def driver_watched(file: Path) -> Iterator[None]:
    """Writes into the file, five times a second, the MiB that are taken of the first GPU that may be used."""
    gpus = usable_gpus()
    if not gpus:
        file.touch()
        yield
        return
    query = ["--query-gpu=memory.used", "--format=csv,noheader,nounits", "--loop-ms=200", f"--id={gpus[0].uuid}"]
    with file.open("wb") as out:
        child = subprocess.Popen(["nvidia-smi", *query], stdout=out, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            child.terminate()
            child.wait()


def show(found: Measured) -> None:
    """Prints the row of README.md's table."""
    parts = ", ".join(f"{name} {gib:.1f}" for name, gib in found.estimate.items())
    print(f"{found.gpu or 'CPU: nothing measured'}; torch {found.versions.get('torch')}; estimate: {parts}")
    print(
        "| recipe | pixels | longest | estimate | peak | peak / estimate | reserved | driver's peak | s a step | loss |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|")
    row = [found.recipe, f"{found.pixels:,}" if found.pixels else "", f"{found.tokens:,}", f"{found.estimated:.1f}"]
    row += [f"{found.allocated:.1f}", f"{found.allocated / found.estimated:.2f}", f"{found.reserved:.1f}"]
    row += [f"{found.card:.1f}", f"{found.seconds:.1f}", " ".join(f"{loss:.2f}" for loss in found.losses)]
    print("|", " | ".join(row), "|")
    print(f"with {RESERVE} GiB for CUDA and fragmentation the estimate is {found.estimated + RESERVE:.1f}")


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
