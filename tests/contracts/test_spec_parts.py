"""What stands behind a colon: an argument, or the first option."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from click.testing import CliRunner

from egocross_eval import Method, MethodType, UsageError, evaluate, hookimpl
from egocross_eval.cli.main import cli
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.registry import registry as shared_registry
from egocross_eval.contracts.spec import read_options
from egocross_eval.methods.select import build_method


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    keep_first: bool = True
    size: int = 1


class Kept(Method):
    def __init__(self, argument: str, options: Any) -> None:
        self.given = (argument, options)


@pytest.fixture
def known() -> Registry:
    """The method `mine`, which takes an argument and options."""
    module = types.ModuleType("mine")
    kind = MethodType(name="mine", description="d", build=Kept, argument="WORDS", options=Options)
    module.egocross_methods = hookimpl(lambda: [kind])  # type: ignore[attr-defined]
    registry = Registry()
    assert registry.add("mine", lambda: module, distribution="mine", version="1").error is None
    registry.collect()
    return registry


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("mine", ("", Options())),
        ("mine:keep_first=false", ("", Options(keep_first=False))),
        ("mine:keep_first=false,size=3", ("", Options(keep_first=False, size=3))),
        ("mine:look,size=3", ("look", Options(size=3))),
        ("mine:1+1=2,size=3", ("1+1=2", Options(size=3))),
    ],
)
def test_an_option_is_one_wherever_it_stands_and_the_rest_is_the_argument(
    text: str, given: tuple[str, Options], known: Registry
) -> None:
    method = build_method(text, known)
    assert isinstance(method, Kept)
    assert method.given == given


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mine:keep_frist=no", r"unknown option 'keep_frist' \(did you mean 'keep_first'\?\); known: keep_first, size"),
        ("mine:keep_first=perhaps", "keep_first"),
        ("mine:size=1,size=2", "'size' is given twice"),
    ],
)
def test_a_wrong_option_behind_the_colon_is_no_argument(text: str, says: str, known: Registry) -> None:
    with pytest.raises(UsageError, match=says):
        build_method(text, known)


def test_what_stands_behind_the_colon_of_a_form_is_not_dropped(tmp_path: Path) -> None:
    evaluate("baseline:longest", split="demo", frames="none", limit=4, output=tmp_path / "run")
    for form, says in (
        ("parquet:small", "parquet takes nothing behind a colon"),
        ("parquet:x=1", "unknown option 'x'"),
    ):
        done = CliRunner().invoke(cli, ["export", str(tmp_path / "run"), "--to", form])
        assert done.exit_code != 0
        assert says in str(done.exception or done.output)


OPTIONS = [
    pytest.param(name, part.options, field, id=f"{name}-{field.name}")
    for kind in ("model_adapters", "methods", "exporters", "trackers")
    for name, part in getattr(shared_registry(), kind).items()
    if getattr(part, "options", None) is not None
    for field in msgspec.structs.fields(part.options)
]
"""Every option of every part that is built in."""

_IN_OTHER_WORDS = ("^", "null", "length", "regex", "is a text", "`", ": ,", " ,")


def refusal(name: str, struct: type[msgspec.Struct], given: dict[str, str]) -> str:
    """What is said of options that can't be; empty where they can."""
    try:
        read_options(name, struct, given)
    except UsageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("name", "struct", "field"), OPTIONS)
def test_an_option_that_is_wrong_or_missing_says_what_it_must_be(
    name: str, struct: type[msgspec.Struct], field: msgspec.structs.FieldInfo
) -> None:
    needed = {other.name: "x" for other in msgspec.structs.fields(struct) if other.required}
    for value in ("", "?", "-1"):
        said = refusal(name, struct, needed | {field.name: value})
        if said and "not a mapping" not in said:  # that's what is passed on; nobody types it under this name
            assert said.startswith(f"{name}: {field.name!r} is {value!r}; it must be ")
            assert not any(word in said for word in _IN_OTHER_WORDS)
    if field.required:
        with pytest.raises(UsageError, match=f"{field.name!r} is missing: type {field.name}=[A-Z]"):
            read_options(name, struct, {})


class Wanting(msgspec.Struct, frozen=True, kw_only=True):
    """Options as plugins declare them."""

    place: Annotated[str, msgspec.Meta(pattern="^[a-z]+$")] = "a"
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    size: Literal["", "auto"] | Annotated[int, msgspec.Meta(ge=2)] = ""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"share": "2"}, "'share' is '2'; it must be a number above 0 up to 1"),
        ({"size": "1"}, "'size' is '1'; it must be auto or a whole number from 2"),
        ({"place": "B"}, "'place' must be a text like"),  # nothing else says what it can be
    ],
)
def test_what_an_option_must_be_is_told_by_its_type(given: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_options("mine", Wanting, given)
