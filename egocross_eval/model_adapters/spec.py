"""Model specs: `scheme:target[,key=value...]` on the command line, or a YAML file for anything longer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.contracts.faults import guarded
from egocross_eval.contracts.model import AdapterType, ModelAdapter
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.spec import explained_option, split_spec
from egocross_eval.documents import cited, read_yaml
from egocross_eval.errors import UsageError, did_you_mean

_SECRET = re.compile(r"(?i)(api_?keys?|token|secrets?|passwords?)$")
"""Option names that would carry a secret: refused, as specs are written into run folders."""

_GENERIC = re.compile(
    r"(?i)models?|merged|final|base|tuned|adapters?|lora|best|last|latest|outputs?|weights|hf|export(ed)?|snapshots"
    r"|(checkpoints?|ckpts?|epoch|(global[-_]?)?step|iter)([-_]?\d+)?|[0-9a-f]{40}"
)
"""Names of folders that every training has: those above them tell them apart."""

_GENERIC_IN_FOLDERS = re.compile(r"model|merged|final|adapter|checkpoint-\d+")
"""Those of them that names of run folders have known from the beginning."""

_TOLD = ("lora", "letter", "pretrained")
"""Options that tell models of one target apart: tables name them."""

CREDENTIALS = re.compile(r"//[^/@\s]+@")
"""User or password in an address."""

_SCHEME = re.compile(r"[A-Za-z][\w.+-]+:")
"""The beginning of a spec; a single letter would be a drive (`C:\\model.yaml`)."""


PATHS = ("lora",)
"""Options of model specs that are paths."""


class ModelSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed model spec."""

    scheme: str
    target: str
    options: dict[str, str] = {}
    name: str = ""
    """Display name in tables: the option `name=`, or the spec without its path's parents."""
    file: str = ""
    """The YAML file that it's from, if it is: its options are anyone's."""

    @property
    def text(self) -> str:
        """The spec in its command-line form, options in the order given."""
        return ",".join([f"{self.scheme}:{self.target}", *(f"{key}={value}" for key, value in self.options.items())])

    @property
    def typed(self) -> str:
        """The spec as one would type it, to be parsed again: with its name, and commas in values kept."""
        named = self.options | ({"name": self.name} if self.name else {})
        pieces = [f"{self.scheme}:{self.target}", *(f"{key}={value}" for key, value in named.items())]
        return ",".join(piece.replace(",", "\\,") for piece in pieces)

    def without(self, options: frozenset[str]) -> str:
        """The spec's text without some of its options."""
        kept = {key: value for key, value in self.options.items() if key not in options}
        return msgspec.structs.replace(self, options=kept).text

    @property
    def display_name(self) -> str:
        """What tables call the model."""
        return self._called(_GENERIC)

    @property
    def folder_name(self) -> str:
        """What folders of judgings and sweeps are called: never otherwise, so that those there are gone on with."""
        return self._called(_GENERIC_IN_FOLDERS)

    def _called(self, generic: re.Pattern[str]) -> str:
        if self.name:
            return self.name
        target = self.target.rstrip("/")
        short = target if "/" not in target or not target.startswith((".", "/", "~")) else _short(target, generic)
        told = [f"{key}={_short(value, generic)}" for key, value in self.options.items() if key in _TOLD]
        return " ".join([f"{self.scheme}:{short}", *told])


def _short(path: str, generic: re.Pattern[str]) -> str:
    """The end of a path that tells it from others, from its last folder on whose name isn't `generic`."""
    parts = [part for part in Path(path).parts if part not in ("/", "..")]
    first = next((place for place in reversed(range(len(parts))) if not generic.fullmatch(parts[place])), 0)
    return "/".join(parts[first:])


def parse_spec(text: str) -> ModelSpec:
    """Reads a spec from its command-line form, or from a YAML file (`model.yaml`: scheme, target, options, name).

    Values may hold no comma in the command-line form; a backslash before a comma keeps it.

    Raises `UsageError` naming the piece that is wrong.
    """
    if text.endswith((".yaml", ".yml")) and not _SCHEME.match(text):
        return _spec_from_file(Path(text))
    scheme, target, options = split_spec(text, "model spec")
    if not scheme or target is None:
        raise UsageError(
            f"model spec {text!r} is not scheme:target[,key=value...], "
            f"e.g. openai:gpt-4.1 or hf:./checkpoint,dtype=bfloat16"
        )
    return _checked(ModelSpec(scheme=scheme, target=target, name=options.pop("name", ""), options=options))


def _spec_from_file(path: Path) -> ModelSpec:
    raw = read_yaml(path, dict[str, Any], what="model file")
    extra = set(raw) - {"scheme", "target", "options", "name"}
    if extra or "scheme" not in raw:
        raise UsageError(
            f"model file {path} must have 'scheme', and may have 'target', 'options', 'name'; it has {cited(list(raw))}"
        )
    given = raw.get("options") or {}
    if not isinstance(given, dict):
        raise UsageError(f"model file {path}: 'options' is {cited(given)}, not a mapping")
    options = {str(key): _plain(value) for key, value in given.items()}
    texts = {name: str(raw.get(name, "")) for name in ("scheme", "target", "name")}
    return _checked(ModelSpec(**texts, options=options, file=str(path)))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return str(value)


def _checked(spec: ModelSpec) -> ModelSpec:
    for key in spec.options:
        if is_secret(key):
            raise UsageError(
                f"model spec for {spec.scheme}: {key!r} would write a secret into the run folder; "
                f"set it in the environment (see api_key_env)"
            )
    if CREDENTIALS.search(spec.text):
        raise UsageError(
            f"model spec for {spec.scheme}: an address with user or password in it; put keys in the environment"
        )
    return spec


def is_secret(name: str) -> bool:
    """Whether an option of that name would carry a key."""
    return _SECRET.search(name) is not None


def option_fields(adapter_type: AdapterType) -> list[tuple[str, str, str, str]]:
    """(name, type, default, description) of each option of an adapter type, for help."""
    return option_rows(adapter_type.options, leave_out=adapter_type.passed_on)


def option_rows(
    options: type[msgspec.Struct] | None, *, leave_out: msgspec.inspect.Field | None = None
) -> list[tuple[str, str, str, str]]:
    """The same of any struct of options, e.g. a method's."""
    if options is None:
        return []
    rows = []
    info = msgspec.inspect.type_info(options)
    assert isinstance(info, msgspec.inspect.StructType)
    for field in info.fields:
        if field == leave_out:
            continue
        described = field.type.type if isinstance(field.type, msgspec.inspect.Metadata) else field.type
        default = "" if field.default in (msgspec.NODEFAULT, None) else " ".join(str(field.default).split())
        rows.append((field.name, _type_name(described), default, description(field)))
    return rows


def description(field: msgspec.inspect.Field) -> str:
    """What a field's `msgspec.Meta` says of it."""
    extra = field.type.extra_json_schema if isinstance(field.type, msgspec.inspect.Metadata) else None
    return str((extra or {}).get("description", ""))


def _type_name(described: Any) -> str:
    if isinstance(described, msgspec.inspect.UnionType):
        return " or ".join(_type_name(t) for t in described.types if not isinstance(t, msgspec.inspect.NoneType))
    if isinstance(described, msgspec.inspect.LiteralType):
        return "|".join(str(value) for value in described.values)
    return type(described).__name__.removesuffix("Type").lower()


def adapter_type(spec: ModelSpec, registry: Registry) -> AdapterType:
    """The type that answers for a spec: one registered for its target, or else for its scheme.

    Raises `UsageError` for an unknown scheme.
    """
    named = f"{spec.scheme}:{spec.target.partition('/')[0]}"
    return registry.model_adapters.get(named) or registry.adapter_type(spec.scheme)


def carried(spec: ModelSpec, registry: Registry) -> ModelSpec:
    """The spec of the model that answers: the inner one where an adapter only carries another."""
    kind = adapter_type(spec, registry)
    if not kind.carries:
        return spec
    own = kind.options.__struct_fields__ if kind.options is not None else ()
    passed = {key: value for key, value in spec.options.items() if key not in own}
    inner = parse_spec(spec.target)
    return msgspec.structs.replace(inner, options=inner.options | passed, name=spec.name or inner.name)


def build_adapter(spec: ModelSpec, registry: Registry) -> ModelAdapter:
    """The adapter of a spec, with its options checked; nothing heavy happens before it is asked.

    Raises `UsageError` for an unknown scheme or option, or a value of the wrong type, `RunError` where its factory
    breaks.
    """
    kind = adapter_type(spec, registry)
    refuse_untyped(spec, kind)
    with asked_of(spec, registry):
        adapter = kind.factory(spec.target, _options(spec, kind))
        if not isinstance(adapter, ModelAdapter):
            raise TypeError(f"its factory gave {adapter!r}, which is no ModelAdapter")
    return adapter


@contextmanager
def asked_of(spec: ModelSpec, registry: Registry) -> Iterator[None]:
    """Asks the adapter of a spec something before a run: what it raises is a `RunError` that names model and plugin."""
    known = spec.scheme in registry.model_adapters  # not so for an adapter that a program made itself
    scheme = adapter_type(spec, registry).scheme if known else spec.scheme
    with guarded("model_adapters", scheme, f"at {spec.text}", known=registry):
        yield


def _options(spec: ModelSpec, kind: AdapterType) -> msgspec.Struct | dict[str, str]:
    """The options as the factory takes them."""
    if kind.options is None:
        return dict(spec.options)
    rest = kind.passed_on
    known = [name for name in kind.options.__struct_fields__ if rest is None or name != rest.name]
    own = {key: value for key, value in spec.options.items() if key in known}
    others = {key: value for key, value in spec.options.items() if key not in known}
    if others and rest is None:
        key = next(iter(others))
        raise UsageError(
            f"{spec.scheme}: unknown option {key!r}{did_you_mean(key, known)}; known: {', '.join(known) or 'none'}"
        )
    try:
        return msgspec.convert(own | ({rest.name: others} if rest else {}), kind.options, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"{spec.scheme}: {explained_option(error, kind.options, own)}") from error


def refuse_untyped(spec: ModelSpec, kind: AdapterType) -> None:
    """Raises `UsageError` for an option that the user has to type, in a spec from a file."""
    if not spec.file or kind.options is None:
        return
    field = kind.passed_on
    described = field.type.extra if field is not None and isinstance(field.type, msgspec.inspect.Metadata) else None
    harmless = (described or {}).get("from_files", ())
    own = kind.options.__struct_fields__
    for name in spec.options:
        passed_on = name not in own and field is not None and name.partition(".")[0] not in harmless
        if passed_on or name in kind.typed_options:
            raise UsageError(
                f"{spec.file}: a file can't set {name!r} of {spec.scheme}, which may run code or open files; if you "
                f"trust it, type the spec on the command line: --model {cited(spec.text)}"
            )
