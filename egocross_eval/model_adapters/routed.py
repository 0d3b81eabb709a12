"""`routed:FILE.yaml`: sends questions to models by one of their labels, e.g. each domain to a checkpoint of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec

from egocross_eval.contracts.model import TYPED, Capabilities, ModelAdapter
from egocross_eval.contracts.registry import registry
from egocross_eval.documents import read_yaml
from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.requests import failed
from egocross_eval.model_adapters.spec import ModelSpec, build_adapter, parse_spec
from egocross_eval.schema import Request, Response

Build = Callable[[ModelSpec], ModelAdapter]


class RoutedOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `routed:`."""

    by: Annotated[
        str | None,
        msgspec.Meta(description="overrides the file's 'by': any label of the questions, e.g. dataset"),
    ] = None
    trusted: Annotated[
        bool, msgspec.Meta(description="let the file's specs run code and open files, as if they were typed"), TYPED
    ] = False


class RouteFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The YAML file of a routed model."""

    models: dict[str, str]
    """Model spec by value of the routed label, e.g. `animal: hf:./animal`."""
    by: str = "domain"
    """The label of a request that decides."""
    default: str | None = None
    """Model spec for values that aren't listed; without it such questions become failures."""


def read_routes(path: Path) -> RouteFile:
    """Reads and checks a route file. Raises `UsageError` naming file and field."""
    return read_yaml(path, RouteFile, what="route file")


class RoutedAdapter(ModelAdapter):
    """Runs one model after the other, each on its own questions, so that only one is loaded at a time."""

    def __init__(self, path: Path, routes: RouteFile, by: str, build_one: Build, *, trusted: bool = False) -> None:
        self._trusted = trusted
        self._by = by
        self._build = build_one
        self._specs = {value: self._parse(path, text) for value, text in routes.models.items()}
        self._default = self._parse(path, routes.default) if routes.default else None
        if not self._specs and self._default is None:
            raise UsageError(f"route file {path} names no model")
        adapters = {spec.text: build_one(spec) for spec in self._all_specs()}
        self._capabilities = _common([adapter.capabilities() for adapter in adapters.values()])
        self._fingerprints = {text: adapter.fingerprint() for text, adapter in adapters.items()}
        self._details = {text: adapter.details() for text, adapter in adapters.items()}
        for adapter in adapters.values():
            adapter.close()

    def _parse(self, path: Path, text: str) -> ModelSpec:
        try:
            spec = parse_spec(text)
        except UsageError as error:
            raise UsageError(f"route file {path}: {error}") from error
        if spec.scheme == "routed":
            raise UsageError(f"route file {path}: a route can't lead to another route file ({text})")
        return spec if self._trusted else msgspec.structs.replace(spec, file=spec.file or str(path))

    def _all_specs(self) -> list[ModelSpec]:
        specs = [*self._specs.values(), *([self._default] if self._default else [])]
        return list({spec.text: spec for spec in specs}.values())

    def capabilities(self) -> Capabilities:
        """What every one of the models can do."""
        return self._capabilities

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """Draws all requests (they hold paths, no frames), then asks model by model."""
        groups: dict[str, list[Request]] = {}
        specs = {spec.text: spec for spec in self._all_specs()}
        for request in requests:
            spec = self._specs.get(request.labels.get(self._by, ""), self._default)
            if spec is None:
                yield failed(request, "no_route", self._lost(request))
            else:
                groups.setdefault(spec.text, []).append(request)
        adapter: ModelAdapter | None = None
        try:
            for text, group in groups.items():
                earlier, adapter = adapter, self._build(specs[text])
                if earlier is not None:
                    adapter.adopt(earlier)
                    earlier.close()
                yield from adapter.generate(iter(group))
                self._details[text] = adapter.details()
        finally:
            if adapter is not None:
                adapter.close()

    def _lost(self, request: Request) -> str:
        """Why no model answers a request."""
        value = request.labels.get(self._by)
        if value is None:
            return f"the question has no label {self._by!r}; by= may be: {', '.join(request.labels) or 'nothing'}"
        return f"no model for {self._by} {value!r}, and no default; the route file has: {', '.join(self._specs)}"

    def fingerprint(self) -> str | None:
        """Joins the fingerprints and the routes; None as soon as one model has none."""
        if any(fingerprint is None for fingerprint in self._fingerprints.values()):
            return None
        routes = {value: spec.text for value, spec in self._specs.items()}
        content = msgspec.json.encode(
            [self._by, routes, self._default.text if self._default else None, self._fingerprints], order="deterministic"
        )
        return hashlib.sha256(content).hexdigest()

    def details(self) -> dict[str, Any]:
        """The routes and what each model says of itself."""
        routes = {value: spec.text for value, spec in self._specs.items()}
        if self._default:
            routes["default"] = self._default.text
        return {"by": self._by, "routes": routes, "models": self._details}


def _common(all_of_them: list[Capabilities]) -> Capabilities:
    """What every one of them can do."""
    limits = [can.max_images for can in all_of_them if can.max_images is not None]
    return Capabilities(
        images=all(can.images for can in all_of_them),
        video=all(can.video for can in all_of_them),
        scores=all(can.scores for can in all_of_them),
        constrained=all(can.constrained for can in all_of_them),
        max_images=min(limits) if limits else None,
        needs_content=any(can.needs_content for can in all_of_them),
    )


def built(spec: ModelSpec) -> ModelAdapter:
    """The adapter of a spec, by whatever plugin registered it."""
    return build_adapter(spec, registry())


def build(target: str, options: RoutedOptions) -> ModelAdapter:
    """The routed model of a YAML file."""
    path = Path(target)
    routes = read_routes(path)
    return RoutedAdapter(path, routes, options.by or routes.by, built, trusted=options.trusted)
