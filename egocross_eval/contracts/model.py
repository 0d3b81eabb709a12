"""The contract of a model adapter, and of its registration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from egocross_eval.schema import Request, Response

NEUTRAL = msgspec.Meta(extra={"neutral": True})
"""Marks an option that can't change an answer (connections, time-outs): a run is resumed, and its cache used, whatever
its value. `timeout: Annotated[float, msgspec.Meta(description="seconds"), NEUTRAL] = 60.0`."""

TYPED = msgspec.Meta(extra={"typed": True})
"""Marks an option that runs a program, writes a file or opens a folder: it must be typed on the command line or passed
in Python. A YAML file, which may be anyone's, can't set it."""

PASSED_ON = msgspec.Meta(extra={"passed_on": True})
"""Marks the field, a dict of strings, that takes every option which is no field; the factory checks them. Its
description says in a few words what may be given. `others: Annotated[dict[str, str], PASSED_ON] = {}`. A file can give
those alone that `Meta(extra={"from_files": [...]})` lists."""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter can do. The runner refuses what it can't, before anything is asked; it never drops frames."""

    images: bool = True
    """Takes frames as separate images."""
    video: bool = False
    """Takes a clip as one video whose frames carry their true times."""
    scores: bool = False
    """Can compare the log-probabilities of the labels to choose among (choose mode)."""
    constrained: bool = False
    """Can decode so that nothing but one of the labels comes out (constrained mode)."""
    max_images: int | None = None
    """Most frames in one request; None: no limit known."""
    max_body: int | None = None
    """Most bytes of one request, its frames in base64; None: no limit known."""
    jpeg: bool = False
    """Frames are sent as JPEG whatever they are stored as."""
    needs_content: bool = True
    """False for adapters that look at the question's labels and options alone: frames are neither read nor hashed."""


class ModelAdapter:
    """Answers requests. The smallest thing a plugin author writes: override `generate`.

    `generate` draws requests lazily, with a bounded look-ahead, and yields exactly one response for each, in any order,
    as soon as it's ready. A request that fails becomes a response with a `Failure`; the others go on. Raising ends the
    run; all that was yielded before is kept.
    """

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """One response for each request, in any order."""
        raise TypeError(f"{type(self).__name__} does not define generate()")

    def capabilities(self) -> Capabilities:
        """What it can do; asked before the first request, and cheap."""
        return Capabilities()

    def check_labels(self, labels: Iterable[Mapping[str, str]]) -> None:
        """Raises `UsageError` where questions with these labels have nobody to answer them.

        Called before the first request with the labels of every question, as its requests will have them; cheap.
        """

    def untold_choices(self, choices: Sequence[str]) -> Sequence[str]:
        """Those of the labels to choose among whose log-probability it can't tell, as far as that is known.

        Called before the first request with the labels that a method compares: a run is refused where there are some.
        """
        return ()

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

    def waits_for(self) -> str:
        """What it waits for now, in a few words, where that has a name (`replica 3 on node b`): for who looks at a run
        that stands still. Asked from another thread, and cheap."""
        return ""

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
    """The part of a model spec before the colon, e.g. `openai`. It may name a target too (`routed:published`): then it
    answers for that target and what lies below it (`routed:published/...`), and another type for the scheme's rest."""
    description: str
    """One line for `egocross-eval models`."""
    factory: Callable[[str, Any], ModelAdapter]
    """Called as `factory(target, options)`, options as an instance of the struct below; imports its engine here and not
    before."""
    options: type[msgspec.Struct] | None = None
    """Struct whose fields are the options of the spec: `key=value` strings are converted to the fields' types, unknown
    keys are refused with a suggestion. Fields may be marked `NEUTRAL`, `TYPED` or `PASSED_ON`. None: the factory gets a
    plain dict of strings."""
    carries: bool = False
    """Its target is a model spec itself, whose adapter it carries without a change of answers, with the options that
    are none of its own: a run of either goes on with the other."""
    target: str = "MODEL"
    """What the part after the scheme and a colon is, for help; empty where the scheme names the target."""
    example: str = ""
    """A model spec to try."""
    takes_paths: bool = True
    """Its target may be a path: where something lies there, that is meant, seen from the folder of the file that names
    it. False: it's a name, whatever lies there."""

    @property
    def form(self) -> str:
        """How a spec of it begins, for help."""
        return f"{self.scheme}:{self.target}" if self.target else self.scheme

    @property
    def neutral_options(self) -> frozenset[str]:
        """Options that can't change an answer."""
        return frozenset(field.name for field in marked_fields(self.options, NEUTRAL))

    @property
    def typed_options(self) -> frozenset[str]:
        """Options that no file can set."""
        return frozenset(field.name for field in marked_fields(self.options, TYPED))

    @property
    def passed_on(self) -> msgspec.inspect.Field | None:
        """The field that takes the options which are no fields."""
        return next(iter(marked_fields(self.options, PASSED_ON)), None)


def marked_fields(options: type[msgspec.Struct] | None, mark: msgspec.Meta) -> list[msgspec.inspect.Field]:
    """The fields of an options struct that carry a mark."""
    if options is None:
        return []
    info = msgspec.inspect.type_info(options)
    assert isinstance(info, msgspec.inspect.StructType)
    wanted = (mark.extra or {}).items()
    return [
        field
        for field in info.fields
        if isinstance(field.type, msgspec.inspect.Metadata) and wanted <= (field.type.extra or {}).items()
    ]
