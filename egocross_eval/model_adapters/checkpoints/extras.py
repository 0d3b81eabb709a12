"""Whether the optional dependencies of the `hf` extra are there, and transformers without its own output."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from egocross_eval.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

NEEDED = ("torch", "torchvision", "transformers")


def require(*modules: str) -> None:
    """Raises MissingExtraError naming the first absent module; by default all that any `hf:` model needs are tried."""
    for module in modules or NEEDED:
        if find_spec(module) is None:
            raise MissingExtraError(module, "hf")


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps transformers from drawing progress bars and tables of its own on the terminal."""
    from transformers.utils import logging

    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
