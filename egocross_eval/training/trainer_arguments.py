"""Arguments of LLaMA-Factory: the user's changes, and names and types as it knows them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from egocross_eval.directories import cache_directory
from egocross_eval.documents import decode_yaml, read_json
from egocross_eval.errors import UsageError, did_you_mean
from egocross_eval.files import write_file
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.environment_jobs import ask

OURS = ("model_name_or_path", "dataset", "dataset_dir", "output_dir", "deepspeed", "resume_from_checkpoint")
"""Arguments that the command line sets itself: they follow from its other options."""


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
        changes[key] = decode_yaml(text, Any, f"--set {key}")
    return changes


def known_arguments(environment: TrainingEnvironment) -> list[dict[str, Any]]:
    """LLaMA-Factory's own training arguments, asked once for each interpreter and version."""
    key = json.dumps([str(environment.python), environment.versions], sort_keys=True)
    path = cache_directory() / "training" / f"arguments-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    if path.is_file():
        return read_json(path, list[dict[str, Any]])
    found: list[dict[str, Any]] = ask(environment, "arguments", {})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, json.dumps(found))
    return found


def check_arguments(arguments: Mapping[str, Any], known: Sequence[Mapping[str, Any]], source: str) -> None:
    """Refuses names that LLaMA-Factory doesn't know and values of another type, with a `UsageError`."""
    by_name = {argument["name"]: argument for argument in known}
    for name, value in arguments.items():
        argument = by_name.get(name)
        if argument is None:
            raise UsageError(f"{source}: LLaMA-Factory has no argument {name!r}{did_you_mean(name, by_name)}")
        _check_value(name, value, argument, source)


def _check_value(name: str, value: Any, argument: Mapping[str, Any], source: str) -> None:
    if value is None or argument["many"] or isinstance(value, list | dict):
        return
    choices, kind = argument["choices"], argument["type"]
    if choices and str(value) not in choices:
        raise UsageError(f"{source}: {name}={value} is none of {', '.join(choices)}")
    fits = True
    if kind == "int":
        fits = (isinstance(value, int) and not isinstance(value, bool)) or (
            isinstance(value, float) and value.is_integer()
        )
    elif kind == "float":
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif kind == "string_to_bool":
        fits = isinstance(value, bool)
    if not fits:
        wanted = {"int": "a whole number", "float": "a number", "string_to_bool": "true or false"}[kind]
        raise UsageError(f"{source}: {name}={value!r} must be {wanted}")
