"""Arguments of LLaMA-Factory: the user's changes, and names and types as it knows them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import msgspec

from egocross_eval.directories import cache_directory
from egocross_eval.documents import cited, decode_yaml, read_json
from egocross_eval.errors import UsageError, did_you_mean
from egocross_eval.files import write_file
from egocross_eval.training.argument_numbers import NEVER_NULL, check_number
from egocross_eval.training.environment import LOCKED, TrainingEnvironment, lock_file
from egocross_eval.training.environment_jobs import ask

OURS = ("model_name_or_path", "dataset", "dataset_dir", "output_dir", "deepspeed", "resume_from_checkpoint")
"""Arguments that the command line sets itself: they follow from its other options."""


RISKY = re.compile(
    r"trust_remote_code|ray_.*|accelerator_config|fsdp_config|kt_.*_path|hyper_parallel_args|parallelism_config"
    r"|push_to_hub|(export_)?hub_.*|.*_token|use_swanlab|swanlab_.*|trackio_.*|report_to|project"
    r"|adapter_name_or_path|adapter_folder|ref_model(_adapters)?|reward_model(_adapters)?|eval_dataset"
    r"|export_dir|export_quantization_dataset|cache_dir|media_dir|tokenized_path|logging_dir|offload_folder"
    r"|profiler_output_dir|new_special_tokens_config|restore_callback_states_from_checkpoint|master_.*"
    r"|(sglang|vllm|liger_kernel)_config"
)
"""Arguments that run code, upload, or open files and hosts of their choice: a file of others can't set them."""
_SAFE_REPORTS = ("none", "tensorboard")


def refuse_risky(arguments: Mapping[str, Any], where: str, *, typed: Collection[str] = ()) -> None:
    """Raises `UsageError` for an argument that a recipe or an experiment can't set, unless it's `typed` as well."""
    for name, value in arguments.items():
        if name in OURS:
            raise UsageError(
                f"{where}: {name} is set by the command line's own options (--model, --data, --output ...)"
            )
        harmless = name == "report_to" and value in _SAFE_REPORTS
        if RISKY.fullmatch(name) and value not in (None, False) and not harmless and name not in typed:
            raise UsageError(
                f"{where}: a file can't set {name}, which may run code, upload, or open other files; if you trust it, "
                f"type --set {name}={cited(value)}"
            )


def read_overrides(pairs: Sequence[str]) -> dict[str, Any]:
    """`key=value` pairs of `--set`, values read as YAML. Raises `UsageError` for another form."""
    changes: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or not key:
            raise UsageError(f"--set {pair!r}: write key=value, e.g. --set learning_rate=5e-5")
        if key in OURS:
            raise UsageError(
                f"--set {key}: this is set by the command line's own options (--model, --data, --output ...)"
            )
        # YAML's no and on are words here: save_strategy has a value `no`.
        word = text.strip().lower() in ("no", "yes", "on", "off")
        changes[key] = text.strip() if word else decode_yaml(text, Any, f"--set {key}")
    return changes


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one of LLaMA-Factory's arguments."""

    type: Literal["int", "float", "string_to_bool", "str"]
    choices: list[str] = []
    many: bool = False
    """Whether it takes several values."""


Arguments = Mapping[str, Argument]


def locked_arguments() -> Arguments:
    """The training arguments of the lock's LLaMA-Factory, from the package: nothing has to be built to know them."""
    return read_json(lock_file().with_name("arguments.json"), dict[str, Argument])


def known_arguments(environment: TrainingEnvironment) -> Arguments:
    """The training arguments of an environment's LLaMA-Factory, asked once for each interpreter and version."""
    if all(environment.versions.get(name) == LOCKED[name] for name in ("llamafactory", "transformers")):
        return locked_arguments()
    key = json.dumps([str(environment.python), environment.versions], sort_keys=True)
    path = cache_directory() / "training" / f"known-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, json.dumps(ask(environment, "arguments", {})))
    return read_json(path, dict[str, Argument])


def check_arguments(arguments: Mapping[str, Any], known: Arguments, source: str) -> None:
    """Refuses names that LLaMA-Factory doesn't know and values of another type, with a `UsageError`."""
    for name, value in arguments.items():
        if name not in known:
            raise UsageError(f"{source}: LLaMA-Factory has no argument {name!r}{did_you_mean(name, known)}")
        _check_value(name, value, known[name], source)


def check_numbers(arguments: Mapping[str, Any], source: str) -> None:
    """As `check_arguments`, of the arguments that are numbers alone, before anything is computed of them.

    They are the same in every LLaMA-Factory, so no environment has to be asked.
    """
    known = locked_arguments()
    for name, value in arguments.items():
        if name in known and known[name].type in _NUMBERS:
            _check_value(name, value, known[name], source)


_NUMBERS = {"int": "a whole number", "float": "a number"}


def _check_value(name: str, value: Any, argument: Argument, source: str) -> None:
    wanted = {**_NUMBERS, "string_to_bool": "true or false", "str": "a text"}[argument.type]
    if value is None and name in NEVER_NULL:
        raise UsageError(f"{source}: {name} is null and must be {wanted}; leave it out for LLaMA-Factory's own")
    if value is None or argument.many or (argument.type == "str" and isinstance(value, list | dict)):
        return
    if argument.choices and str(value) not in argument.choices:
        hint = ' (in YAML, put no and yes in quotes: "no")' if isinstance(value, bool) else ""
        raise UsageError(f"{source}: {name}={value} is none of {', '.join(argument.choices)}{hint}")
    if not _fits(value, argument):
        raise UsageError(f"{source}: {name}={cited(value)} must be {wanted}")
    if argument.type in _NUMBERS:
        check_number(name, value, wanted, source)


def _fits(value: Any, argument: Argument) -> bool:
    if argument.type == "str":
        return True
    if argument.type == "string_to_bool" or isinstance(value, bool):
        return argument.type == "string_to_bool" and isinstance(value, bool)
    # What is no number or endless is said by its range.
    return isinstance(value, int) or (
        isinstance(value, float) and (argument.type == "float" or value.is_integer() or not math.isfinite(value))
    )
