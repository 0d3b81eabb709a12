"""The engine's own options: names checked against the installed vLLM, values read by vLLM's own argument parser."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NoReturn

from egocross_eval.errors import UsageError, did_you_mean
from egocross_eval.model_adapters.vllm.extras import set_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

SET_HERE = {
    "model": "the target of the spec names the model",
    "served_model_name": "the server is asked under a name of its own",
    "lora_modules": "lora= names the adapter",
    "host": "the server listens on this machine alone",
    "port": "a free port is taken",
    "uds": "the server listens on a port of this machine",
    "allowed_local_media_path": "media_root= names the folder of the frames",
}
"""Options of vLLM that the adapter settles, with what to use instead."""

TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def trusted(options: Mapping[str, str]) -> bool:
    """Whether the checkpoint's own code may be run."""
    return options.get("trust_remote_code", "").lower() in TRUE


def check_options(scheme: str, options: Mapping[str, str]) -> None:
    """Checks names and values against the installed vLLM; imports it if there is anything to check.

    Raises UsageError for an unknown name, with the nearest ones, and for a value that vLLM doesn't take.
    """
    refuse_settled(scheme, options)
    if options:
        parse_options(scheme, options)


def refuse_settled(scheme: str, options: Mapping[str, str]) -> None:
    """Raises UsageError for an option that the adapter settles itself."""
    for name in options:
        if name in SET_HERE:
            raise UsageError(f"{scheme}: {name}= can't be given here: {SET_HERE[name]}")


def parse_options(scheme: str, options: Mapping[str, str]) -> dict[str, Any]:
    """The given options as vLLM's engine takes them, by name. Raises UsageError as `check_options` does."""
    parser, actions = _parser()
    for name in options:
        plain = name.partition(".")[0]
        if plain not in actions:
            raise UsageError(
                f"{scheme}: neither this adapter nor vLLM has an option {name!r}{did_you_mean(plain, actions)}; "
                f"'egocross-eval models show {scheme}' lists the adapter's, 'vllm serve --help=all' the engine's"
            )
    arguments: list[str] = []
    for name, value in options.items():
        arguments += flags(name, value, switch=actions[name.partition(".")[0]].nargs == 0, scheme=scheme)
    try:
        parsed = parser.parse_args(arguments)
    except _RefusedValueError as error:
        raise UsageError(f"{scheme}: {error}") from error
    return {name: getattr(parsed, name) for name in {given.partition(".")[0] for given in options}}


def flags(name: str, value: str, *, switch: bool, scheme: str) -> list[str]:
    """An option as arguments of `vllm serve`; a switch becomes `--name` or `--no-name`, a list has spaces."""
    flag = name.replace("_", "-")
    if switch:
        if value.lower() in TRUE:
            return [f"--{flag}"]
        if value.lower() in FALSE:
            return [f"--no-{flag}"]
        raise UsageError(f"{scheme}: {name}={value} is neither true nor false")
    return [f"--{flag}", *(value.split() if not value.lstrip().startswith(("{", "[")) else [value])]


class _RefusedValueError(ValueError):
    """The argument parser's complaint, which would end the process otherwise."""


@functools.cache
def _parser() -> tuple[Any, dict[str, Any]]:
    """vLLM's parser of engine arguments, and its arguments by name."""
    set_environment()
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    class Parser(FlexibleArgumentParser):  # type: ignore[misc]
        """Raises instead of leaving."""

        def error(self, message: str) -> NoReturn:
            raise _RefusedValueError(message)

    parser = AsyncEngineArgs.add_cli_args(Parser(add_help=False))
    # Some fields of the arguments exist for vLLM's own use and have no argument.
    return parser, {action.dest: action for action in parser._actions}
