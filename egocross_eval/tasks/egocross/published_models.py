"""`routed:published`: the four published domain checkpoints, each for its own domain, downloaded when not there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.directories import cache_directory
from egocross_eval.errors import UsageError, unknown
from egocross_eval.model_adapters.routed import Build, RoutedAdapter, RoutedOptions, RouteFile
from egocross_eval.schema import Request, Response
from egocross_eval.tasks.egocross.catalogue import DOMAINS

TARGET = "published"

ENGINES = ("hf", "vllm", "vllm-server")

Fetch = Callable[[str, Path], None]
"""Called with a domain and the folder of the checkpoints."""


def is_published(target: str) -> bool:
    """Whether a target of `routed:` names published checkpoints: `published`, or `published/DOMAIN`."""
    return target == TARGET or target.startswith(f"{TARGET}/")


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

    def __init__(self, target: str, options: RoutedOptions, build_one: Build, fetch: Fetch) -> None:
        """Raises UsageError for an unknown domain or engine."""
        _, _, self._domain = target.partition("/")
        if target != TARGET and self._domain not in DOMAINS:
            raise unknown("domain", self._domain, DOMAINS)
        engine = options.engine or ENGINES[0]
        if engine not in ENGINES:
            raise unknown("engine of the published checkpoints", engine, ENGINES)
        if options.by not in (None, "domain"):
            raise UsageError(f"routed:{target}: the checkpoints are for domains; leave out by={options.by}")
        self._engine = engine
        self._engine_options = [piece for piece in options.engine_options.split("+") if piece]
        self._store = Path(options.store).expanduser() if options.store else cache_directory() / "checkpoints"
        self._build = build_one
        self._fetch = fetch
        self.capabilities = Capabilities(images=True, video=True, scores=True, constrained=True)

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

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """Asks checkpoint by checkpoint, each its own questions."""
        return self._routed.generate(requests)

    def fingerprint(self) -> str | None:
        """Joins the fingerprints of the checkpoints."""
        return self._routed.fingerprint()

    def details(self) -> dict[str, Any]:
        """The routes and what each model says of itself."""
        return self._routed.details()


def fetch_checkpoint(domain: str, store: Path) -> None:
    """Downloads a domain's checkpoint from ModelScope. Raises as `benchmark.fetch.fetch` does."""
    from egocross_eval.tasks.egocross.fetch import fetch

    print(f"fetching the published checkpoint of {domain} into {store} (about 9 GB)", file=sys.stderr)
    fetch("checkpoints", store, domain=domain)
