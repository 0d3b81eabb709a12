"""Checks a trained checkpoint against its base, and repairs what exports get wrong."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from egocross_eval.documents import read_json, read_text
from egocross_eval.errors import DataError, UsageError
from egocross_eval.files import write_file
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.model_adapters.checkpoints.weights import folder_faults
from egocross_eval.training.checkpoint_files import other_sizes, unreadable
from egocross_eval.training.checkpoint_weights import incomplete_shards, most_frequent_dtype, stored_dtype
from egocross_eval.training.frame_sizes import read_config

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
)
"""Files that training never changes on purpose: a trained checkpoint has its base's."""

PROCESSOR_FILES = ("preprocessor_config.json", "video_preprocessor_config.json", "processor_config.json")

ROPE_KEYS = ("rope_parameters", "rope_scaling", "rope_theta")

SPECIAL = ("eos_token_id", "pad_token_id", "bos_token_id")

Status = Literal["fine", "repaired", "broken"]


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one part of a checkpoint."""

    part: str
    status: Status
    message: str


def examine(folder: Path, base: str | None, *, repair: bool, keep: bool = True) -> list[Diagnosis]:
    """Checks the small files and the completeness of the weights of a checkpoint in `folder`.

    `base` is the checkpoint it was trained from; None: as its card says. With `repair` files are put right from the
    base; the old one is kept beside it as `<name>.before`, unless `keep` is false. Raises `UsageError` where the folder
    is no full checkpoint or its base isn't known.
    """
    if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
        raise UsageError(f"{folder} is a LoRA adapter: merge it by 'egocross-eval train merge', or use it by lora=")
    source = _base(folder, base)
    doctor = _Doctor(Checkpoint(str(folder.resolve())), source, folder, repair, keep)
    files = list(doctor.files())
    if any(found.status == "broken" for found in files):
        rest = "not examined before these files can be read"
        return [*files, Diagnosis(part="all else", status="broken", message=rest)]
    parts: tuple[Callable[[], Iterator[Diagnosis]], ...] = (
        doctor.architecture,
        doctor.tokenizer,
        doctor.rope,
        doctor.template,
        doctor.processor,
        doctor.generation,
        doctor.precision,
        doctor.shards,
        doctor.card,
    )
    return [*files, *(diagnosis for part in parts for diagnosis in part())]


def _base(folder: Path, named: str | None) -> Checkpoint:
    from egocross_eval.training.card import read_card

    if named is not None:
        return Checkpoint(named)
    try:
        card = read_card(folder)
    except DataError as error:
        raise UsageError(f"{error}; name the base by --model") from error
    if card is None:
        raise UsageError(f"{folder} has no training card that names its base; name it by --model")
    found = card.known_base(folder)
    try:
        base = Checkpoint(found)
        base.file("config.json")
    except UsageError as error:
        raise UsageError(
            f"the base that the card of {folder} names, {found!r}, isn't found from here; name it by --model"
        ) from error
    return base


class _Doctor:
    def __init__(self, checkpoint: Checkpoint, base: Checkpoint, folder: Path, repair: bool, keep: bool) -> None:
        self._mine = checkpoint
        self._base = base
        self._folder = folder
        self._repair = repair
        self._keep = keep
        self._kept: set[Path] = set()

    def _found(self, part: str, wrong: str, put_right: Callable[[], None] | None) -> Diagnosis:
        if put_right is None:
            return Diagnosis(part=part, status="broken", message=wrong)
        if not self._repair:
            return Diagnosis(part=part, status="broken", message=f"{wrong}; --repair puts it right")
        put_right()
        return Diagnosis(part=part, status="repaired", message=wrong)

    def _put_away(self, path: Path) -> None:
        if self._keep and path not in self._kept:
            _keep(path)
            self._kept.add(path)
        else:
            path.unlink(missing_ok=True)

    def _copy(self, names: tuple[str, ...]) -> None:
        for name in names:
            target = self._folder / name
            source = self._base.file(name)
            self._put_away(target)
            if source is not None:
                write_file(target, source.read_bytes())

    def _write(self, name: str, content: dict[str, Any]) -> None:
        target = self._folder / name
        self._put_away(target)
        write_file(target, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def files(self) -> Iterator[Diagnosis]:
        """Small files that can't be read are the base's: training changes none of them on purpose."""
        for name, wrong in unreadable(self._folder).items():
            yield self._found("files", wrong, functools.partial(self._copy, (name,)))

    def architecture(self) -> Iterator[Diagnosis]:
        """The configuration describes a model of the base's sizes."""
        wrong = other_sizes(read_config(self._mine, "config.json"), read_config(self._base, "config.json"))
        if wrong:
            yield self._found("architecture", "; ".join(wrong), lambda: self._copy(("config.json",)))
        else:
            yield Diagnosis(part="architecture", status="fine", message="the base's sizes")

    def tokenizer(self) -> Iterator[Diagnosis]:
        """Same vocabulary and special tokens as the base."""
        wrong = []
        for name in ("tokenizer.json", "vocab.json", "merges.txt"):
            mine, theirs = self._mine.file(name), self._base.file(name)
            if (
                theirs is not None
                and mine is None
                and not (name != "tokenizer.json" and self._mine.file("tokenizer.json"))
            ):
                wrong.append(f"{name} is missing")
            elif theirs is not None and mine is not None and not _same_tokens(mine, theirs):
                wrong.append(f"{name} differs from the base's")
        mine_config = read_config(self._mine, "tokenizer_config.json")
        base_config = read_config(self._base, "tokenizer_config.json")
        for key in ("tokenizer_class", "eos_token", "pad_token"):
            if base_config and mine_config.get(key) != base_config.get(key):
                wrong.append(f"{key} is {mine_config.get(key)!r} instead of {base_config.get(key)!r}")
        if wrong:
            names = tuple(name for name in TOKENIZER_FILES if self._base.file(name) is not None)
            yield self._found("tokenizer", "; ".join(wrong), lambda: self._copy(names))
        else:
            yield Diagnosis(part="tokenizer", status="fine", message="the base's")

    def rope(self) -> Iterator[Diagnosis]:
        """The text model's rotary positions are the base's, under names that old and new engines read."""
        mine, base = read_config(self._mine, "config.json"), read_config(self._base, "config.json")
        wanted, found = _rope(base), _rope(mine)
        if wanted == found:
            yield Diagnosis(part="rope", status="fine", message="the base's")
            return

        def put_right() -> None:
            text, base_text = mine.get("text_config") or mine, base.get("text_config") or base
            for key in ROPE_KEYS:
                text.pop(key, None)
                if key in base_text:
                    text[key] = base_text[key]
            self._write("config.json", mine)

        yield self._found("rope", f"{found} instead of the base's {wanted}", put_right)

    def template(self) -> Iterator[Diagnosis]:
        """The chat template is the base's: the one that parity was checked with."""
        mine, base = _template(self._mine), _template(self._base)
        if base is None or mine == base:
            yield Diagnosis(part="chat template", status="fine", message="the base's")
            return

        def put_right() -> None:
            target = self._folder / "chat_template.jinja"
            self._put_away(target)
            write_file(target, base)
            config = read_config(self._mine, "tokenizer_config.json")
            if config.pop("chat_template", None) is not None:
                self._write("tokenizer_config.json", config)
            (self._folder / "chat_template.json").unlink(missing_ok=True)

        yield self._found("chat template", "it is missing" if mine is None else "it differs from the base's", put_right)

    def processor(self) -> Iterator[Diagnosis]:
        """Limits and patch sizes of frames are the base's."""
        mine, base = _image_rules(self._mine), _image_rules(self._base)
        if mine == base:
            yield Diagnosis(part="processor", status="fine", message="the base's limits")
            return
        names = tuple(name for name in PROCESSOR_FILES if self._base.file(name) or (self._folder / name).is_file())
        yield self._found("processor", f"{mine} instead of the base's {base}", lambda: self._copy(names))

    def generation(self) -> Iterator[Diagnosis]:
        """Generation ends at the base's tokens."""
        mine, base = (
            read_config(self._mine, "generation_config.json"),
            read_config(self._base, "generation_config.json"),
        )
        wrong = [key for key in SPECIAL if key in base and mine.get(key) != base[key]]
        if not wrong:
            yield Diagnosis(part="generation config", status="fine", message="ends at the base's tokens")
            return
        text = ", ".join(f"{key} is {mine.get(key)} instead of {base[key]}" for key in wrong)
        yield self._found("generation config", text, lambda: self._copy(("generation_config.json",)))

    def precision(self) -> Iterator[Diagnosis]:
        """What the configuration says of the precision is what the weights have."""
        stated = stored_dtype(self._mine)
        stored = most_frequent_dtype(self._folder)
        if not stored or stated == stored:
            yield Diagnosis(part="precision", status="fine", message=stored or "unknown")
            return

        def put_right() -> None:
            config = read_config(self._mine, "config.json")
            config.pop("torch_dtype", None)
            config["dtype"] = stored
            text = config.get("text_config")
            if isinstance(text, dict):
                text.pop("torch_dtype", None)
                text["dtype"] = stored
            self._write("config.json", config)

        yield self._found(
            "precision", f"the weights are {stored}, the configuration says {stated or 'nothing'}", put_right
        )

    def shards(self) -> Iterator[Diagnosis]:
        """Every weight that the index names is there to its last byte, and has a place and sane values in the model."""
        wrong = incomplete_shards(self._folder) or folder_faults(self._mine, like=self._base)
        if wrong:
            yield self._found("weights", "; ".join(wrong), None)
        else:
            yield Diagnosis(part="weights", status="fine", message="complete")

    def card(self) -> Iterator[Diagnosis]:
        """The training card can be read, where there's one."""
        from egocross_eval.training.card import read_card

        try:
            found = read_card(self._folder)
        except DataError as error:
            wrong = f"{error}; runs refuse it: remove it, or copy it from where it was trained"
            yield self._found("training card", wrong, None)
        else:
            yield Diagnosis(part="training card", status="fine", message="there" if found else "there is none")


def _same_tokens(mine: Path, theirs: Path) -> bool:
    """Whether two tokenizer files mean the same: byte by byte, or for JSON in their vocabulary, merges and tokens."""
    if mine.read_bytes() == theirs.read_bytes():
        return True
    if mine.suffix != ".json":
        return False
    one, other = read_json(mine, dict[str, Any]), read_json(theirs, dict[str, Any])
    if "model" not in one or "model" not in other:
        return bool(one == other)

    def essence(content: dict[str, Any]) -> list[Any]:
        model = content["model"]
        merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in model.get("merges", [])]
        added = sorted((token["id"], token["content"]) for token in content.get("added_tokens", []))
        return [model.get("vocab"), merges, added, content.get("pre_tokenizer"), content.get("normalizer")]

    return essence(one) == essence(other)


def _rope(config: dict[str, Any]) -> dict[str, Any]:
    """Rotary settings of the text model under one set of names, whichever of the two the file uses."""
    text = config.get("text_config") or config
    merged: dict[str, Any] = {}
    for key in ("rope_scaling", "rope_parameters"):
        if isinstance(text.get(key), dict):
            merged |= {name: value for name, value in text[key].items() if value is not None}
    if "type" in merged:
        merged.setdefault("rope_type", merged.pop("type"))
        merged.pop("type", None)
    if text.get("rope_theta") is not None:
        merged.setdefault("rope_theta", text["rope_theta"])
    if "rope_theta" in merged:
        merged["rope_theta"] = float(merged["rope_theta"])
    return dict(sorted(merged.items()))


def _template(checkpoint: Checkpoint) -> str | None:
    path = checkpoint.file("chat_template.jinja")
    if path is not None:
        return read_text(path)
    for name in ("chat_template.json", "tokenizer_config.json"):
        found = read_config(checkpoint, name).get("chat_template")
        if isinstance(found, str):
            return found
    return None


def _image_rules(checkpoint: Checkpoint) -> dict[str, Any]:
    """What decides a frame's tokens, wherever the file keeps it."""
    nested = read_config(checkpoint, "processor_config.json")
    config = read_config(checkpoint, "preprocessor_config.json") or nested.get("image_processor") or {}
    size = config.get("size") or {}
    return {
        "least": size.get("shortest_edge", config.get("min_pixels")),
        "most": size.get("longest_edge", config.get("max_pixels")),
        **{
            key: config.get(key)
            for key in ("patch_size", "merge_size", "temporal_patch_size", "image_mean", "image_std")
        },
    }


def _keep(path: Path) -> None:
    """Moves a file, or what a link leads to, out of the way of a new one."""
    if path.is_file():
        write_file(path.with_name(path.name + ".before"), path.read_bytes())
        path.unlink()
