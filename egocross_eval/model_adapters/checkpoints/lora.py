"""LoRA adapters on disk, in PEFT's form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from egocross_eval.documents import read_json
from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.weight_files import read_header

_SEEING = re.compile(r"visual|vision|image|merger|projector|connector|aligner|perceiver", re.IGNORECASE)
"""In the names of modules that aren't the text model's."""

_WORDS = re.compile(r"(^|\.)(lm_head|embed_tokens|wte|output_layer)(\.|$)")
"""In the names of modules that stand for single words, at a model's beginning and at its end."""

_WORDS_MODULES = ("lm_head", "model.embed_tokens", "model.language_model.embed_tokens")
"""What they are mostly called."""

_SCORES = re.compile(r"(^|\.)(lm_head|output_layer)(\.|$)")
"""Of these, those at its end."""

BY_CHANCE = "pissa_niter"
"""How `init_lora_weights` begins where PEFT takes the base's weights apart anew, by chance, as it loads the adapter."""


class Lora(msgspec.Struct, frozen=True, kw_only=True):
    """A PEFT adapter on disk, or one that a training will leave there."""

    folder: Path
    kind: str
    """PEFT's name of it: `LORA`, `IA3` and others."""
    rank: int | None
    """The largest rank of its matrices; None for a kind that has none."""
    sees: bool = False
    """Whether it has weights for the parts that see: the vision tower, or what connects it to the text model."""
    words: bool = False
    """Whether it has matrices for the embeddings of words or for the scores that the model ends in, and not for both
    alike: in many models they are one."""
    config: Mapping[str, Any] = MappingProxyType({})
    """PEFT's description of it, its `adapter_config.json`."""

    @property
    def name(self) -> str:
        """What an engine calls it. By this name vLLM keeps what it computed with an adapter, and trainings leave theirs
        in folders that are all called alike."""
        return str(self.folder)

    @property
    def parts_words(self) -> bool:
        """Whether embeddings and scores of words that were one matrix would be two once it's merged."""
        whole = map(str, self.config.get("modules_to_save") or ())
        return self.words or (words(whole) and not self.config.get("ensure_weight_tying"))


def read_lora(text: str) -> Lora:
    """The adapter in the folder `text`. Raises UsageError where it's none or its config can't be read."""
    folder = Path(text).expanduser().resolve()
    path = folder / "adapter_config.json"
    if not path.is_file():
        what = "has no adapter_config.json, so it is no PEFT adapter" if folder.is_dir() else "is no folder"
        raise UsageError(f"lora={text}: {folder} {what}")
    config = read_json(path, dict[str, Any], what=f"lora={text}:")
    names = _modules(folder)
    try:
        ranks = [int(rank) for rank in (config.get("r"), *(config.get("rank_pattern") or {}).values()) if rank]
        whole = [str(name) for name in config.get("modules_to_save") or ()]
        found = Lora(
            folder=folder,
            kind=str(config.get("peft_type", "LORA")),
            rank=max(ranks, default=None),
            sees=sees([*names, *whole]),
            words=_adapts_words(names, config) and not config.get("ensure_weight_tying"),
            config=config,
        )
        lost = _left_out(names, config)
    except (ValueError, TypeError, AttributeError, re.error) as error:
        raise UsageError(f"lora={text}: {path} can't be read as a PEFT adapter's config: {error!r}") from error
    if lost:
        raise UsageError(
            f"lora={text}: {len(lost)} of the modules that it has weights for are not among its target_modules, e.g. "
            f"{lost[0]}: these weights would be left out; put right {path}"
        )
    _refuse_chance(text, config)
    return found


def sees(modules: Iterable[str]) -> bool:
    """Whether some of the modules are parts that see."""
    return any(_SEEING.search(name) for name in modules)


def words(modules: Iterable[str]) -> bool:
    """Whether some of the modules are the embeddings or the scores of words."""
    return any(_WORDS.search(name) for name in modules)


def tied(config: Mapping[str, Any]) -> bool:
    """Whether a checkpoint's `config.json` says that the embeddings of words are their scores as well."""
    text = config.get("text_config") or {}
    return bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings", False)))


def _modules(folder: Path) -> set[str]:
    """Names of the modules that the adapter's file has matrices for; none where they can't be looked at."""
    path = folder / "adapter_model.safetensors"
    names = read_header(path).tensors if path.is_file() else {}
    return {name.partition(".lora_")[0].removeprefix("base_model.model.") for name in names if ".lora_" in name}


def _adapts_words(names: Iterable[str], config: Mapping[str, Any]) -> bool:
    """Whether an adapter with matrices for these modules has some for words; by its config where there are no names."""
    single = config.get("trainable_token_indices")
    if isinstance(single, dict) and any(_SCORES.search(name) for name in single):
        return True  # PEFT adapts the scores of single words with their embeddings, and not the other way round
    targets = config.get("target_modules") or ()
    if names or targets == "all-linear":
        return words(names)
    if isinstance(targets, str):
        return any(re.fullmatch(targets, name) for name in _WORDS_MODULES)
    return words(targets)


def _left_out(names: Iterable[str], config: Mapping[str, Any]) -> list[str]:
    """Modules that an adapter has matrices for, though its own config leaves them out.

    Whatever loads it drops such weights without a word. `target_modules` by PEFT's rule: a regular expression for the
    whole name, or a list of names or ends of names.
    """
    targets = config.get("target_modules")
    if not targets or targets == "all-linear":
        return []
    return sorted(module for module in names if not _targeted(module, targets))


def _refuse_chance(text: str, config: Mapping[str, Any]) -> None:
    """Raises UsageError for an adapter whose base PEFT changes by chance."""
    start = str(config.get("init_lora_weights"))
    if start.startswith(BY_CHANCE):
        raise UsageError(
            f"lora={text}: PEFT takes the base's weights apart anew, by chance, whenever it loads this adapter "
            f"(init_lora_weights={start}), so that answers would differ from run to run; have PEFT save it converted "
            f"to a plain one (path_initial_model_for_weight_conversion)"
        )


def _targeted(module: str, targets: Any) -> bool:
    if isinstance(targets, str):
        return re.fullmatch(targets, module) is not None
    return any(module == target or module.endswith(f".{target}") for target in targets)
