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
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.environment_jobs import ask, process_environment
from egocross_eval.training.frame_sizes import read_config
from egocross_eval.training.trainer_process import run

SHARD_GB = 4
"""Largest weight file of the merged checkpoint, as the organisers print it."""

DTYPES = {"float32": "float32", "bfloat16": "bfloat16", "float16": "float16"}


def merge(adapter: Path, output: Path, environment: TrainingEnvironment, *, base: str | None = None) -> Path:
    """Writes `adapter` merged into its base to the new folder `output`, in the base's precision, with its card.

    The base is the card's unless named. Raises `UsageError` where `adapter` is no adapter or doesn't fit its base, its
    base isn't known, `output` isn't empty or the export wrote other weights than the architecture asks for, and
    `RunError` where the export fails.
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
    work.mkdir(parents=True, exist_ok=True)
    config = work / "merge.yaml"
    write_file(
        config,
        yaml.safe_dump(
            {
                "model_name_or_path": checkpoint.source,
                "adapter_name_or_path": str(adapter.resolve()),
                "template": template,
                "export_dir": str(output),
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
    if not (output / "config.json").is_file():
        raise UsageError(f"the export left no checkpoint in {output}; its log: {work / 'log.txt'}")
    ask(environment, "weights", {"model": str(output), "lora": ""})
    shutil.rmtree(work)
    if card is not None:
        write_card(output, msgspec.structs.replace(card, kind="merged"))
    return output


def stored_dtype(checkpoint: Checkpoint) -> str:
    """Precision in which a checkpoint says that it's stored."""
    config = read_config(checkpoint, "config.json")
    text = config.get("text_config") or {}
    found = config.get("dtype") or config.get("torch_dtype") or text.get("dtype") or text.get("torch_dtype") or ""
    return str(found).removeprefix("torch.")
