"""egocross-eval: measure a model on EgoCross.

`evaluate` runs a model over tasks and returns the run; `load_run` reads one from its folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "evaluate", "load_run"]

if TYPE_CHECKING:
    from egocross_eval.api import evaluate, load_run


def __getattr__(name: str) -> Any:
    # Lazy, so that `import egocross_eval` costs nothing.
    if name in ("evaluate", "load_run"):
        from egocross_eval import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
