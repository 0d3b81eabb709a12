"""From the `--method` argument to a method."""

from __future__ import annotations

from egocross_eval.contracts.faults import guarded
from egocross_eval.contracts.method import Method
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.spec import read_options, split_part, split_spec
from egocross_eval.errors import UsageError


def method_name(text: str) -> str:
    """The name that a method of that text is registered by."""
    return split_spec(text, "method").name


def build_method(text: str, registry: Registry) -> Method:
    """The method that `name[:argument][,key=value...]` means; `name:key=value,...` is the same as `name,key=value,...`
    for every option that the method has.

    Raises `UsageError` for an unknown name or option, or an argument that the method can't take, `RunError` where its
    code breaks.
    """
    known = registry.method_type(method_name(text))
    name, argument, given = split_part(
        text, "--method", known.options, takes_argument=bool(known.argument), example=known.example
    )
    if given and known.options is None and known.argument:
        raise UsageError(
            f"--method {name}: it has no option {next(iter(given))!r}; {known.argument} stands behind a colon, "
            f"e.g. {known.example}"
        )
    options = read_options(f"--method {name}", known.options, given)
    with guarded("methods", name, "to build", known=registry):
        method = known.build(argument or "", options)
        if not isinstance(method, Method):
            raise TypeError(f"it gave {method!r}, which is no Method")
    return method
