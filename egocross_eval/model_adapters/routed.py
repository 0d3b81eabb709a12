"""`routed:FILE.yaml`: sends questions to models by one of their labels, e.g. each domain to a checkpoint of its own."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from egocross_eval.contracts.model import TYPED, Capabilities, ModelAdapter
from egocross_eval.contracts.registry import registry
from egocross_eval.documents import read_yaml
from egocross_eval.errors import UsageError, did_you_mean, warn_caller
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
    """Model spec for values that aren't listed; without it a run with such questions is refused."""


def read_routes(path: Path) -> RouteFile:
    """Reads and checks a route file. Raises `UsageError` naming file and field."""
    return read_yaml(path, RouteFile, what="route file")


def refuse_unrouted(
    where: str, labels: Iterable[Mapping[str, str]], by: str, routes: Collection[str], *, default: bool = False
) -> None:
    """Raises `UsageError` where no question has the label that routes go `by`, or one has no route and no default.

    Warns of a route that looks misspelt: no question has its value, and the default takes questions of a near one.
    """
    known: dict[str, None] = {}
    values: Counter[str] = Counter()
    for one in labels:
        known.update(dict.fromkeys(one))
        values[one.get(by, "")] += 1
    if values and by not in known:
        raise UsageError(
            f"{where}: no question of the run has a label {by!r}{did_you_mean(by, known)}; by may be: "
            f"{', '.join(sorted(known))}"
        )
    lost = {value: count for value, count in values.items() if value not in routes}
    if lost and not default:
        counts = ", ".join(f"{value or 'none at all'} ({count})" for value, count in sorted(lost.items()))
        raise UsageError(
            f"{where}: no model for questions of {by} {counts}, and no default; it has models for: "
            f"{', '.join(sorted(routes))}; name a model for each, or a default, or ask only tasks that have one"
        )
    for value in routes:
        if value not in values and (near := did_you_mean(value, lost)):
            warn_caller(f"{where}: no question of the run has {by} {value!r}{near}; the default answers those")


class SeveralModels(ModelAdapter):
    """Runs one model after the other, each on its own questions, so that only one is loaded at a time."""

    def __init__(self, specs: Sequence[ModelSpec], build_one: Build) -> None:
        self._build = build_one
        self._by_text = {spec.text: spec for spec in specs}
        adapters = {text: build_one(spec) for text, spec in self._by_text.items()}
        self._capabilities = _common([adapter.capabilities() for adapter in adapters.values()])
        self._fingerprints = {text: adapter.fingerprint() for text, adapter in adapters.items()}
        self._details = {text: adapter.details() for text, adapter in adapters.items()}
        for adapter in adapters.values():
            adapter.close()

    def spec_of(self, request: Request) -> ModelSpec | None:
        """The model that answers a request; None where none does."""
        raise NotImplementedError

    def lost(self, request: Request) -> str:
        """Why no model answers a request."""
        raise NotImplementedError

    def routes(self) -> list[Any]:
        """What decides which model answers, for the fingerprint."""
        raise NotImplementedError

    def capabilities(self) -> Capabilities:
        """What every one of the models can do."""
        return self._capabilities

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """Draws all requests (they hold paths, no frames), then asks model by model."""
        groups: dict[str, list[Request]] = {}
        for request in requests:
            spec = self.spec_of(request)
            if spec is None:
                yield failed(request, "no_route", self.lost(request))
            else:
                groups.setdefault(spec.text, []).append(request)
        adapter: ModelAdapter | None = None
        try:
            for text, group in groups.items():
                earlier, adapter = adapter, self._build(self._by_text[text])
                if earlier is not None:
                    adapter.adopt(earlier)
                    earlier.close()
                yield from adapter.generate(iter(group))
                self._details[text] = adapter.details()
        finally:
            if adapter is not None:
                adapter.close()

    def fingerprint(self) -> str | None:
        """Joins the fingerprints and the routes; None as soon as one model has none."""
        if any(fingerprint is None for fingerprint in self._fingerprints.values()):
            return None
        content = msgspec.json.encode([*self.routes(), self._fingerprints], order="deterministic")
        return hashlib.sha256(content).hexdigest()

    def details(self) -> dict[str, Any]:
        """What each model says of itself."""
        return {"models": self._details}


class RoutedAdapter(SeveralModels):
    """The models of a route file, by one label."""

    def __init__(self, path: Path, routes: RouteFile, by: str, build_one: Build, *, trusted: bool = False) -> None:
        self._trusted = trusted
        self._where = f"route file {path}"
        self._by = by
        self._specs = {value: self._parse(path, text) for value, text in routes.models.items()}
        self._default = self._parse(path, routes.default) if routes.default else None
        if not self._specs and self._default is None:
            raise UsageError(f"route file {path} names no model")
        super().__init__([*self._specs.values(), *([self._default] if self._default else [])], build_one)

    def _parse(self, path: Path, text: str) -> ModelSpec:
        try:
            spec = parse_spec(text)
        except UsageError as error:
            raise UsageError(f"route file {path}: {error}") from error
        if spec.scheme == "routed":
            raise UsageError(f"route file {path}: a route can't lead to another route file ({text})")
        return spec if self._trusted else msgspec.structs.replace(spec, file=spec.file or str(path))

    def check_labels(self, labels: Iterable[Mapping[str, str]]) -> None:
        """Refuses a label that no question has, and questions without a model."""
        if self._specs:
            refuse_unrouted(self._where, labels, self._by, self._specs, default=self._default is not None)

    def spec_of(self, request: Request) -> ModelSpec | None:
        """The model for the request's label, or the default one."""
        return self._specs.get(request.labels.get(self._by, ""), self._default)

    def lost(self, request: Request) -> str:
        """Why no model answers a request."""
        value = request.labels.get(self._by)
        if value is None:
            return f"the question has no label {self._by!r}; by= may be: {', '.join(request.labels) or 'nothing'}"
        return f"no model for {self._by} {value!r}, and no default; the route file has: {', '.join(self._specs)}"

    def routes(self) -> list[Any]:
        """The label, and the model by its value."""
        specs = {value: spec.text for value, spec in self._specs.items()}
        return [self._by, specs, self._default.text if self._default else None]

    def details(self) -> dict[str, Any]:
        """The routes and what each model says of itself."""
        routes = {value: spec.text for value, spec in self._specs.items()}
        if self._default:
            routes["default"] = self._default.text
        return {"by": self._by, "routes": routes, **super().details()}


class RuledAdapter(SeveralModels):
    """The models that a strategy names for some questions, by several labels, and one for the others."""

    def __init__(
        self,
        default: ModelSpec,
        labels: Sequence[str],
        models: Mapping[tuple[str, ...], ModelSpec],
        build_one: Build,
    ) -> None:
        self._default = default
        self._labels = tuple(labels)
        self._specs = dict(models)
        super().__init__([default, *self._specs.values()], build_one)

    def check_labels(self, labels: Iterable[Mapping[str, str]]) -> None:
        """As each of the models does for its own questions."""
        groups: dict[str, list[Mapping[str, str]]] = {}
        for one in labels:
            groups.setdefault(self._spec_for(one).text, []).append(one)
        for text, group in groups.items():
            adapter = self._build(self._by_text[text])
            try:
                adapter.check_labels(group)
            finally:
                adapter.close()

    def spec_of(self, request: Request) -> ModelSpec:
        """The strategy's model for these labels, or the run's."""
        return self._spec_for(request.labels)

    def _spec_for(self, labels: Mapping[str, str]) -> ModelSpec:
        return self._specs.get(tuple(labels.get(name, "") for name in self._labels), self._default)

    def routes(self) -> list[Any]:
        """The labels, and the model by their values."""
        return [self._labels, [[values, spec.text] for values, spec in self._specs.items()], self._default.text]

    def details(self) -> dict[str, Any]:
        """The routes and what each model says of itself."""
        routes = {" / ".join(values): spec.text for values, spec in self._specs.items()}
        return {"by": list(self._labels), "routes": {**routes, "default": self._default.text}, **super().details()}


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
    """The adapter of a spec, by whatever plugin registered it; a `UsageError` names the file that the spec is from."""
    try:
        return build_adapter(spec, registry())
    except UsageError as error:
        if not spec.file or str(error).startswith(spec.file):
            raise
        raise UsageError(f"{spec.file}: {error}") from error


def build(target: str, options: RoutedOptions) -> ModelAdapter:
    """The routed model of a YAML file."""
    path = Path(target)
    routes = read_routes(path)
    return RoutedAdapter(path, routes, options.by or routes.by, built, trusted=options.trusted)
