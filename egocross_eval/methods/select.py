"""From the `--method` argument to a method."""

from __future__ import annotations

from egocross_eval.contracts.method import Method
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.spec import read_options, split_part, split_spec
from egocross_eval.errors import UsageError


def build_method(text: str, registry: Registry) -> Method:
    """The method that `name[:argument][,key=value...]` means; `name:key=value,...` is the same as `name,key=value,...`
    for every option that the method has.

    Raises `UsageError` for an unknown name or option, or an argument that the method can't take.
    """
    known = registry.method_type(split_spec(text, "method").name)
    name, argument, given = split_part(
        text, "--method", known.options, takes_argument=bool(known.argument), example=known.example
    )
    options = read_options(f"--method {name}", known.options, given)
    method = known.build(argument or "", options)
    if not isinstance(method, Method):
        raise UsageError(f"the method {name!r} of a plugin gave {method!r}, which is no Method")
    return method
