"""lmms-eval's clients of servers: what each needs, and how it asks. Imports neither lmms-eval nor their packages."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.settings import GenerationSettings


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A model class of lmms-eval 0.7 that asks a server."""

    module: str = "openai"
    """What it imports to ask, some only with the first request."""
    package: str = "openai"
    """What is installed for that."""
    below: int | None = None
    """The first major version of the package that the class doesn't work with."""
    keys: tuple[str, ...] = ()
    """Environment variables, any of which holds a key; empty where the class says by itself that it has none."""
    frames: str = ""
    """How it encodes frames, whatever the environment says; empty: as that says."""
    left_out: tuple[str, ...] = ()
    """Settings that don't reach the server."""
    most_tokens: int | None = None
    """Where more is wanted, it asks for less."""
    one_by_one: bool = False
    """Whether it asks one question after the other."""
    useless: str = ""
    """Why it can't be asked about frames."""


_OPENAI_KEYS = ("OPENAI_API_KEY", "AZURE_API_KEY")

_CLIENTS = {
    "openai": Client(),
    "async_openai": Client(left_out=("top_p",)),
    "litellm": Client(module="litellm", package="litellm"),
    "gemini": Client(module="google.genai", package="google-genai", frames="PNG", left_out=("top_p",)),
    "claude": Client(
        module="anthropic",
        package="anthropic",
        below=1,
        keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE"),
        frames="JPEG, quality 85",
        most_tokens=4096,
        one_by_one=True,
    ),
    "gpt4v": Client(keys=_OPENAI_KEYS, frames="PNG", left_out=("top_p",), most_tokens=4096, one_by_one=True),
    "reka": Client(
        module="reka",
        package="reka-api",
        keys=("REKA_API_KEY",),
        frames="PNG",
        left_out=("max_new_tokens", "temperature", "top_p"),
        one_by_one=True,
    ),
    "qwen_vl_api": Client(
        module="dashscope",
        package="dashscope",
        keys=("DASHSCOPE_API_KEY",),
        frames="JPEG, quality 75",
        left_out=("top_p", "system_prompt"),
        most_tokens=1500,
        one_by_one=True,
    ),
    "srt_api": Client(module="sglang", package="sglang", frames="PNG"),
    "batch_gpt4": Client(
        useless="it sends frames as text, and can't read the file of answers that the server gives it"
    ),
    "gpt4o_audio": Client(useless="it asks about sounds, and leaves frames out"),
    "generation_api": Client(useless="it makes videos"),
}
"""By lmms-eval's own name of the model."""


def client(model: str) -> Client | None:
    """The client that a model of lmms-eval's is, also under its aliases; None for what runs here."""
    names = (model, model.removesuffix("_api"), model.removesuffix("_chat").removesuffix("_compatible"))
    return next((_CLIENTS[name] for name in names if name in _CLIENTS), None)


def check_client(model: str) -> None:
    """Raises `UsageError` for a client that can't be asked from this process: it's none for frames, or its package or
    its key isn't there."""
    one = client(model)
    if one is None:
        return
    if one.useless:
        raise UsageError(f"lmms:{model} can't be asked about frames: {one.useless}; take lmms:openai")
    wanted = one.package if one.below is None else f"{one.package}<{one.below}"
    if not _is_there(one.module):
        raise UsageError(
            f"lmms:{model} needs the package {one.package}, which isn't in lmms-eval's environment: pip install "
            f"'{wanted}' there"
        )
    version = importlib.metadata.version(one.package) if one.below is not None else ""
    if one.below is not None and int(version.partition(".")[0]) >= one.below:
        raise UsageError(
            f"lmms:{model} doesn't work with {one.package} {version}, whose interface is another one: pip install "
            f"'{wanted}' in lmms-eval's environment"
        )
    if one.keys and not any(os.environ.get(key) for key in one.keys):
        first, *others = one.keys
        raise UsageError(
            f"lmms:{model} has no key for its server: set {first}" + (f" (or {', '.join(others)})" if others else "")
        )


def check_settings(model: str, settings: GenerationSettings) -> None:
    """Raises `UsageError` for settings that the client would put aside without a word."""
    one = client(model)
    if one is None:
        return
    if one.most_tokens is not None and settings.max_new_tokens > one.most_tokens:
        raise UsageError(
            f"lmms:{model} asks for fewer tokens than {settings.max_new_tokens:,} where more than {one.most_tokens:,} "
            f"are wanted: --max-new-tokens {one.most_tokens}"
        )
    for name, plain in (("temperature", 0.0), ("top_p", 1.0)):
        if name in one.left_out and settings.temperature and getattr(settings, name) != plain:
            raise UsageError(f"lmms:{model} doesn't hand on --{name.replace('_', '-')}: leave it out")


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package around it
        return False
