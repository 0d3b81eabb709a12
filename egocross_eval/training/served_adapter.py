"""Whether what evaluates an experiment can use the adapters that it trains, told from the recipe beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.model_adapters.checkpoints.lora import Lora, tied, words
from egocross_eval.training.experiment_file import experts_of, train_options
from egocross_eval.training.planning import settle_recipe

if TYPE_CHECKING:
    from egocross_eval.training.experiment_file import Experiment

DEFAULT_RANK = 8
"""LLaMA-Factory's own `lora_rank`."""

_WHOLE = "embed_tokens"
"""What `resize_vocab` trains as a whole beside the adapter."""


def planned_adapter(arguments: Mapping[str, Any], folder: Path) -> Lora | None:
    """The adapter that a training with these arguments of LLaMA-Factory leaves in `folder`; None where it leaves none.

    Named modules are taken to be in each part of the model that isn't frozen.
    """
    if arguments.get("finetuning_type", "lora") != "lora":
        return None
    targets, whole = _listed(arguments.get("lora_target", "all")), _listed(arguments.get("additional_target"))
    if arguments.get("resize_vocab") and not whole:
        whole = [_WHOLE]
    seeing = not arguments.get("freeze_vision_tower", True)
    if targets != ["all"]:
        seeing = seeing or not arguments.get("freeze_multi_modal_projector", True)
    return Lora(
        folder=folder,
        kind="LORA",
        rank=int(arguments.get("lora_rank") or DEFAULT_RANK),
        sees=seeing,
        words=words(targets),
        config={"use_dora": bool(arguments.get("use_dora")), "modules_to_save": whole or None},
    )


def _listed(value: Any) -> list[str]:
    """Names as LLaMA-Factory reads them: a list, or a text with commas."""
    found = value if isinstance(value, list) else str(value or "").split(",")
    return [str(name).strip() for name in found if str(name).strip()]


def check_adapters(experiment: Experiment) -> None:
    """Raises `UsageError` where the experts' adapters can't be evaluated as the experiment has it: by its engine, or
    merged. All experts are alike in this."""
    options = train_options(experiment, experts_of(experiment)[0])
    lora = planned_adapter(settle_recipe(options)[0].arguments, options.output / "model")
    if lora is None:
        return
    checkpoint = Checkpoint(experiment.model)
    mergeable = not (lora.parts_words and tied(checkpoint.config))
    if experiment.train.merge and not mergeable:
        raise UsageError(
            "train.merge: the recipe adapts the embeddings or the scores of words, which are one matrix in this base "
            "(tie_word_embeddings), so that no checkpoint could hold what is trained; leave merge out"
        )
    if experiment.evaluate.engine == "vllm" and not experiment.train.merge:
        reasons = _against_vllm(lora, checkpoint, experiment.evaluate.options)
        remedy = "merged (train.merge: true), or with engine hf" if mergeable else "with engine hf"
        if reasons:
            raise UsageError(
                f"evaluate.engine: vLLM can't serve the adapter that the recipe makes: {'; '.join(reasons)}; evaluate "
                f"it {remedy}"
            )


def _against_vllm(lora: Lora, checkpoint: Checkpoint, options: Mapping[str, str]) -> list[str]:
    from egocross_eval.model_adapters.vllm.adapted_classes import ask_vllm
    from egocross_eval.model_adapters.vllm.extras import vllm_version
    from egocross_eval.model_adapters.vllm.served_lora import unadapted, unserved

    reasons = unserved(lora, vllm_version(), options)
    found = ask_vllm(checkpoint.config.get("architectures") or []) if not reasons else None
    return unadapted(lora, found) if found is not None else reasons
