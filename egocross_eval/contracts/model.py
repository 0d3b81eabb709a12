"""The contract of a model adapter, and of its registration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from egocross_eval.schema import Request, Response


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter can do. The runner refuses what it can't, before anything is asked; it never drops frames."""

    images: bool = True
    """Takes frames as separate images."""
    video: bool = False
    """Takes a clip as one video whose frames carry their true times."""
    scores: bool = False
    """Can compare the log-probabilities of the option letters (choose mode)."""
    constrained: bool = False
    """Can decode so that nothing but an option letter comes out (constrained mode)."""
    max_images: int | None = None
    """Most frames in one request; None: no limit known."""
    needs_content: bool = True
    """False for adapters that look at the question's labels and options alone: frames are neither read nor hashed."""


class ModelAdapter:
    """Answers requests. The smallest thing a plugin author writes: override `generate`.

    `generate` draws requests lazily, with a bounded look-ahead, and yields exactly one response for each, in any
    order, as soon
    as it's ready. A request that fails becomes a response with a `Failure`; the others go on. Raising ends the run;
    all that
    was yielded before is kept.
    """

    capabilities: Capabilities = Capabilities()

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """One response for each request, in any order."""
        raise TypeError(f"{type(self).__name__} does not define generate()")

    def fingerprint(self) -> str | None:
        """Identity of the weights and answer-relevant options, for the response cache; None turns the cache off.

        It must change whenever the same request could be answered otherwise. The model spec is added by the runner.
        """
        return None

    def details(self) -> dict[str, Any]:
        """What is worth keeping in `run.json`: versions, dtype, device, parameters. No secrets.

        Asked before the first request and again after the last: it can add what is known once a model is loaded.
        """
        return {}

    def adopt(self, earlier: ModelAdapter) -> None:
        """Takes over what `earlier` has loaded, where that serves this adapter too; `earlier` is closed next.

        Called before anything is asked of this one, by a model that is made of several, so that what they share is
        loaded once.
        """

    def close(self) -> None:
        """Frees what the adapter holds. Called once, also after an error."""


class AdapterType(msgspec.Struct, frozen=True, kw_only=True):
    """A registered kind of model adapter."""

    scheme: str
    """The part of a model spec before the colon, e.g. `openai`."""
    description: str
    """One line for `egocross-eval models`."""
    factory: Callable[..., ModelAdapter]
    """Called as `factory(target, options)`; imports its engine here and not before."""
    options: type[msgspec.Struct] | None = None
    """Struct whose fields are the options of the spec: `key=value` strings are converted to the fields' types,
    unknown keys
    are refused with a suggestion. None: the factory gets a plain dict of strings."""
    passes_on: str = ""
    """What other options may be given, in a few words; they reach the factory as a third argument, a dict of strings
    that the factory checks. Empty: only those of `options` are known."""
    target: str = "MODEL"
    """What the part after the colon is, for help."""
    neutral_options: frozenset[str] = frozenset()
    """Options that can't change an answer (connections, time-outs): a run is resumed, and its cache used, whatever they
    are."""
    example: str = ""
    """A model spec to try."""
