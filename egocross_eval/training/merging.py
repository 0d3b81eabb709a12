"""Merges a LoRA adapter into its base by LLaMA-Factory's export."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.files import holds_nothing, write_file
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.training.card import read_card
from egocross_eval.training.card_files import write_card
from egocross_eval.training.checkpoint_doctor import examine
from egocross_eval.training.checkpoint_weights import stored_dtype
from egocross_eval.training.environment import Say, TrainingEnvironment
from egocross_eval.training.environment_jobs import ask, process_environment
from egocross_eval.training.trainer_process import run

SHARD_GB = 4
"""Largest weight file of the merged checkpoint, as the organisers print it."""

DTYPES = {"float32": "float32", "bfloat16": "bfloat16", "float16": "float16"}


def _silent(text: str) -> None:
    """Tells nobody."""


def merge(
    adapter: Path, output: Path, environment: TrainingEnvironment, *, base: str | None = None, say: Say = _silent
) -> Path:
    """Writes `adapter` merged into its base to the new folder `output`, in the base's precision, with its card.

    What the export gets wrong is put right from the base, and told to `say`. The base is the card's unless named.
    Raises `UsageError` where `adapter` is no adapter or doesn't fit its base, its base isn't known, `output` isn't
    empty or can't be replaced, or the export wrote other weights than the architecture asks for, and `RunError` where
    the export fails.
    """
    import yaml

    if not (adapter / "adapter_config.json").is_file():
        raise UsageError(
            f"{adapter} has no adapter_config.json, so it's no LoRA adapter; a full checkpoint needs no merging"
        )
    # The export runs in a folder of its own, where relative paths lead elsewhere.
    output = output.resolve()
    if not holds_nothing(output):
        raise UsageError(f"{output} is not empty; name a new folder for the merged checkpoint")
    card = read_card(adapter)
    base = base or (card.known_base(adapter) if card else None)
    if base is None:
        raise UsageError(f"{adapter} has no training card that names its base; name it by --model")
    checkpoint = Checkpoint(base)
    ask(environment, "weights", {"model": checkpoint.source, "lora": str(adapter.resolve())})
    template = card.arguments.get("template", "qwen3_vl_nothink") if card else "qwen3_vl_nothink"
    work = output.with_name(output.name + ".export")
    _make_way(output)
    _clear(work)
    config, made = work / "merge.yaml", work / "model"
    write_file(
        config,
        yaml.safe_dump(
            {
                "model_name_or_path": checkpoint.source,
                "adapter_name_or_path": str(adapter.resolve()),
                "template": template,
                "export_dir": str(made),
                "export_size": SHARD_GB,
                "export_device": "cpu",
                "export_legacy_format": False,
                "infer_dtype": DTYPES.get(stored_dtype(checkpoint), "bfloat16"),
            },
            sort_keys=False,
        ),
    )
    run(
        [str(environment.python), "-m", "llamafactory.cli", "export", str(config)],
        environment={**process_environment(environment), "CUDA_VISIBLE_DEVICES": ""},
        folder=work,
        log=work / "log.txt",
    )
    if not (made / "config.json").is_file():
        raise UsageError(f"the export left no checkpoint in {made}; its log: {work / 'log.txt'}")
    ask(environment, "weights", {"model": str(made), "lora": ""})
    for found in examine(made, checkpoint.source, repair=True, keep=False):
        if found.status == "repaired":
            say(f"{found.part}: {found.message}; put right from the base")
    if card is not None:
        write_card(made, msgspec.structs.replace(card, kind="merged"))
    # In one step: a folder that is there is never half of a checkpoint.
    made.replace(output)
    shutil.rmtree(work)
    return output


def _make_way(output: Path) -> None:
    """Removes a folder that holds nothing before the export, not after it: a mount point, say, can't be removed."""
    try:
        if output.is_dir():
            shutil.rmtree(output)
    except OSError as error:
        why = f"it can't be replaced ({error.strerror}), as a mount point can't"
        raise UsageError(f"{output}: {why}; name a folder below it") from error


def _clear(work: Path) -> None:
    """Makes the folder to export in, without what a merge that was killed has left there."""
    if not holds_nothing(work) and not (work / "merge.yaml").is_file():
        raise UsageError(f"{work} is in the way: the merge works there; move it or choose another --output")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
