"""Asks every kept checkpoint of a training what it held out, by evaluation's own code, and says which did best."""

from __future__ import annotations

import filecmp
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from egocross_eval.counted import counted
from egocross_eval.errors import UsageError
from egocross_eval.files import write_file
from egocross_eval.model_adapters.spec import ModelSpec
from egocross_eval.schema import Figure
from egocross_eval.training.card import TrainingCard, read_card
from egocross_eval.training.trainer_checkpoints import kept_in

LOOKS_NAME = "checkpoints.json"
"""In the output folder: what came of every look at the held-out examples."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint scored."""

    name: str
    """`base`, `checkpoint-N` or `final`."""
    spec: str
    figure: Figure


def kept_checkpoints(model: Path) -> dict[str, Path]:
    """The checkpoints below the folder of a finished model, in the order of their steps, and that model as `final`.

    A checkpoint with the weights of `final`, as the last step's has, is left out: asking it would be no look of its
    own.
    """
    found = kept_in(model).values()
    return {**{path.name: path for path in found if not _same_weights(path, model)}, "final": model}


def _same_weights(one: Path, other: Path) -> bool:
    """Whether two folders have weight files of the same names, sizes and bytes, be they of adapters or whole models."""
    names, others = ({path.name for path in folder.glob("*.safetensors")} for folder in (one, other))
    # The sizes are compared first, and reading ends at the first difference.
    return bool(names) and names == others and all(filecmp.cmp(one / n, other / n, shallow=False) for n in names)


def compare_checkpoints(
    output: Path,
    data: Path | None,
    evaluate_one: Callable[[str, Path, Mapping[str, Any]], Figure],
    engine: Literal["hf", "vllm"] = "hf",
    check_one: Callable[[str], object] = lambda spec: None,
) -> list[Look]:
    """Scores base and checkpoints of the training in `output` on what it held out below the data root `data`.

    `evaluate_one` gets a model spec, a run folder and the fields of `RunOptions`; `check_one` gets each spec before any
    is evaluated. Raises `UsageError` where the training isn't finished or held nothing out.
    """
    model, held_out = output / "model", output / "data" / "holdout.json"
    card = read_card(model)
    if card is None:
        raise UsageError(f"{output} holds no finished training: {model} has no card")
    if not held_out.is_file():
        raise UsageError(f"{output} held nothing out to compare checkpoints on; train with --holdout 0.2")
    settings = {
        "data": data,
        "split": "support",
        "questions": held_out,
        "tasks": "all",
        "answer": "choose",
        **msgspec.structs.asdict(card.prompt),
    }
    if not card.base:
        raise UsageError(f"the card of {model} names no base to compare its checkpoints with")
    specs = {"base": ModelSpec(scheme=engine, target=card.base).typed}
    specs |= {name: spec_of(engine, card, path) for name, path in kept_checkpoints(model).items()}
    for spec in specs.values():
        check_one(spec)
    looks = [
        Look(name=name, spec=spec, figure=evaluate_one(spec, output / "checkpoints" / name, settings))
        for name, spec in specs.items()
    ]
    write_file(output / LOOKS_NAME, msgspec.json.format(msgspec.json.encode(looks), indent=2) + b"\n")
    return looks


def spec_of(engine: str, card: TrainingCard, path: Path) -> str:
    """The model spec of a checkpoint or adapter in a folder, as one would type it."""
    if card.kind == "lora":
        return ModelSpec(scheme=engine, target=card.base, options={"lora": str(path)}).typed
    return ModelSpec(scheme=engine, target=str(path)).typed


def looks_table(looks: list[Look]) -> str:
    """The looks, the best of those that were trained, and what choosing it is worth; for a terminal."""
    width = max(len(look.name) for look in looks)
    lines = [f"{'':{width}}  right of  accuracy  95 %"]
    for look in looks:
        found = look.figure
        low, high = 100 * found.low, 100 * found.high
        lines.append(
            f"{look.name:{width}}  {found.right:5d} {found.n:2d}  {100 * found.accuracy:7.1f}%  {low:.1f} to {high:.1f}"
        )
    base, *trained = looks
    best = max(trained, key=lambda look: look.figure.right)
    alike = [look.name for look in trained if look.figure.right == best.figure.right and look is not best]
    if best.figure.right <= base.figure.right:
        lines.append(f"none has more right than the base, {base.figure.right} of {base.figure.n}")
        return "\n".join(lines)
    lines.append(f"best: {best.spec}" + (f"; as many right: {', '.join(alike)}" if alike else ""))
    if len(trained) > 1:
        lines.append(
            f"It was chosen by {counted(len(trained), 'look')} at {counted(best.figure.n, 'example')}, so its "
            "accuracy here flatters it; "
            "report that on examples that chose nothing."
        )
    return "\n".join(lines)
