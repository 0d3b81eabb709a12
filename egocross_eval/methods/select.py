"""From the `--method` argument to a method."""

from __future__ import annotations

from egocross_eval.contracts.method import Method
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.spec import read_options, split_spec
from egocross_eval.errors import UsageError


def build_method(text: str, registry: Registry) -> Method:
    """The method that `name[:argument][,key=value...]` means.

    Raises `UsageError` for an unknown name or option, or an argument that the method can't take.
    """
    name, argument, given = split_spec(text, "method")
    known = registry.method_type(name)
    if argument is not None and not known.argument:
        raise UsageError(f"--method {text!r}: {name} takes nothing behind a colon")
    options = read_options(f"--method {name}", known.options, given)
    method = known.build(argument or "", options)
    if not isinstance(method, Method):
        raise UsageError(f"the method {name!r} of a plugin gave {method!r}, which is no Method")
    return method
