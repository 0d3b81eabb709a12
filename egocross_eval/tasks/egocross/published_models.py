"""`routed:published`: the four published domain checkpoints, each for its own domain, downloaded when not there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.directories import cache_directory
from egocross_eval.errors import UsageError, unknown
from egocross_eval.model_adapters.routed import Build, RoutedAdapter, RouteFile, built, refuse_unrouted
from egocross_eval.schema import Request, Response
from egocross_eval.tasks.egocross.catalogue import DOMAINS

TARGET = "published"

ENGINES = ("hf", "vllm", "vllm-server")

Fetch = Callable[[str, Path], None]
"""Called with a domain and the folder of the checkpoints."""


class PublishedOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `routed:published`."""

    engine: Annotated[str, msgspec.Meta(description="hf, vllm or vllm-server runs the checkpoints")] = ENGINES[0]
    engine_options: Annotated[
        str,
        msgspec.Meta(description="the engine's options, joined by +, e.g. dtype=bfloat16+max_model_len=32768"),
    ] = ""
    store: Annotated[
        str | None, msgspec.Meta(description="folder of the checkpoints; default: one in the cache of this package")
    ] = None
    by: Annotated[str, msgspec.Meta(description="the label that decides: domain alone")] = "domain"


def checkpoint_folder(store: Path, domain: str) -> Path:
    """Where the checkpoint of a domain lies below `store`."""
    from egocross_eval.tasks.egocross.fetch import CHECKPOINT_REPO

    return store / CHECKPOINT_REPO.format(domain=domain).partition("/")[2]


def is_complete(folder: Path) -> bool:
    """Whether a folder holds a checkpoint with all the weight files that its index names."""
    if not (folder / "config.json").is_file():
        return False
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return (folder / "model.safetensors").is_file()
    try:
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, AttributeError):
        return False
    return all((folder / str(name)).is_file() for name in names)


class PublishedAdapter(ModelAdapter):
    """The published checkpoints on one of the engines, by domain; or one of them for every question.

    Nothing is downloaded before the run begins. All are Qwen3-VL-4B, so that what they can do is known without them.
    """

    def __init__(self, target: str, options: PublishedOptions, build_one: Build, fetch: Fetch) -> None:
        """Raises UsageError for an unknown domain or engine."""
        _, _, self._domain = target.partition("/")
        if target != TARGET and self._domain not in DOMAINS:
            raise unknown("domain", self._domain, DOMAINS)
        if options.engine not in ENGINES:
            raise unknown("engine of the published checkpoints", options.engine, ENGINES)
        if options.by != "domain":
            raise UsageError(f"routed:{target}: the checkpoints are for domains; leave out by={options.by}")
        self._engine = options.engine
        self._engine_options = [piece for piece in options.engine_options.split("+") if piece]
        self._store = Path(options.store).expanduser() if options.store else cache_directory() / "checkpoints"
        self._build = build_one
        self._fetch = fetch

    @cached_property
    def _routed(self) -> RoutedAdapter:
        """The checkpoints as a routed model; what isn't complete is fetched first."""
        specs = {}
        for domain in (self._domain,) if self._domain else DOMAINS:
            folder = checkpoint_folder(self._store, domain)
            if not is_complete(folder):
                self._fetch(domain, self._store)
            path = str(folder.resolve()).replace(",", "\\,")
            specs[domain] = ",".join([f"{self._engine}:{path}", *self._engine_options])
        routes = RouteFile(models={}, default=specs[self._domain]) if self._domain else RouteFile(models=specs)
        return RoutedAdapter(Path(TARGET), routes, "domain", self._build)

    def capabilities(self) -> Capabilities:
        """All that their engines can do."""
        return Capabilities(images=True, video=True, scores=True, constrained=True)

    def check_labels(self, labels: Iterable[Mapping[str, str]]) -> None:
        """Refuses questions of no domain of the checkpoints, before anything is fetched."""
        if not self._domain:
            refuse_unrouted(f"routed:{TARGET}", labels, "domain", DOMAINS)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """Asks checkpoint by checkpoint, each its own questions."""
        return self._routed.generate(requests)

    def fingerprint(self) -> str | None:
        """Joins the fingerprints of the checkpoints."""
        return self._routed.fingerprint()

    def details(self) -> dict[str, Any]:
        """The routes and what each model says of itself."""
        return self._routed.details()


def build(target: str, options: PublishedOptions) -> ModelAdapter:
    """The published checkpoints, or the one that the target names: `published`, `published/DOMAIN`."""
    return PublishedAdapter(target, options, built, fetch_checkpoint)


def fetch_checkpoint(domain: str, store: Path) -> None:
    """Downloads a domain's checkpoint from ModelScope. Raises as `fetch.fetch` does."""
    from egocross_eval.tasks.egocross.fetch import fetch

    print(f"fetching the published checkpoint of {domain} into {store} (about 9 GB)", file=sys.stderr)
    fetch("checkpoints", store, domain=domain)
