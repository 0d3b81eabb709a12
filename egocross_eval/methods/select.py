"""From the `--method` argument to a method."""

from __future__ import annotations

from egocross_eval.contracts.method import Method
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.spec import read_options, split_spec
from egocross_eval.errors import UsageError


def build_method(text: str, registry: Registry) -> Method:
    """The method that `name[:argument][,key=value...]` means; `name:key=value,...` is the same as `name,key=value,...`.

    Raises `UsageError` for an unknown name or option, or an argument that the method can't take.
    """
    name, argument, given = split_spec(text, "method")
    known = registry.method_type(name)
    if argument is not None and not known.argument:
        key, equals, value = argument.partition("=")
        if not equals or key in given:
            raise UsageError(
                f"--method {text!r}: {key!r} is given twice"
                if equals
                else f"--method {text!r}: {name} takes nothing behind a colon"
                + (f" but its options, e.g. {known.example}" if known.options else "")
            )
        argument, given = None, {key.strip(): value, **given}
    options = read_options(f"--method {name}", known.options, given)
    method = known.build(argument or "", options)
    if not isinstance(method, Method):
        raise UsageError(f"the method {name!r} of a plugin gave {method!r}, which is no Method")
    return method
