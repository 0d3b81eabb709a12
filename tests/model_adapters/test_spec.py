"""Model specs from the command line and from YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval import NEUTRAL, PASSED_ON, AdapterType, ModelAdapter, UsageError
from egocross_eval.contracts.registry import Registry, load_registry
from egocross_eval.model_adapters.spec import build_adapter, description, option_fields, parse_spec


def test_scheme_target_and_options_are_read() -> None:
    spec = parse_spec("hf:./ckpt,dtype=bfloat16,lora=./adapter")
    assert (spec.scheme, spec.target) == ("hf", "./ckpt")
    assert spec.options == {"dtype": "bfloat16", "lora": "./adapter"}


def test_a_target_may_hold_colons_and_equals_signs_go_to_the_value() -> None:
    spec = parse_spec("openai:org:model,base_url=http://127.0.0.1:8000/v1?a=b")
    assert spec.target == "org:model"
    assert spec.options["base_url"] == "http://127.0.0.1:8000/v1?a=b"


def test_an_escaped_comma_belongs_to_the_value() -> None:
    assert parse_spec(r"openai:m,extra=a\,b").options == {"extra": "a,b"}


def test_the_name_option_names_the_model_in_tables() -> None:
    spec = parse_spec("hf:./ckpt,name=My model")
    assert spec.display_name == "My model"
    assert "name" not in spec.options


def test_a_local_path_is_shown_by_its_last_part_and_a_hub_name_whole() -> None:
    assert parse_spec("hf:./some/where/tiny").display_name == "hf:tiny"
    assert parse_spec("hf:/runs/animal/model").display_name == "hf:animal/model"
    assert parse_spec("hf:base,lora=runs/animal/model").display_name == "hf:base lora=animal/model"
    assert parse_spec("hf:base,lora=../runs/a/model/checkpoint-7").display_name == "hf:base lora=a/model/checkpoint-7"
    assert parse_spec("hf:base,lora=model").display_name == "hf:base lora=model"
    assert parse_spec("hf:Qwen/Qwen3-VL-4B-Instruct").display_name == "hf:Qwen/Qwen3-VL-4B-Instruct"


@pytest.mark.parametrize(
    "last",
    [
        "base",
        "model",
        "final",
        "checkpoint",
        "checkpoint-7",
        "epoch_3",
        "global_step-400",
        "Best",
        "output",
        "0123" * 10,
    ],
)
def test_checkpoints_whose_last_folder_has_a_common_name_are_told_apart_by_those_above(last: str) -> None:
    names = {parse_spec(f"hf:/models/{training}/{last}").display_name for training in ("animal", "surgery")}
    assert names == {f"hf:animal/{last}", f"hf:surgery/{last}"}


def test_folders_are_called_as_they_ever_were_so_that_they_are_gone_on_with() -> None:
    assert parse_spec("hf:/models/animal/base").folder_name == "hf:base"
    assert parse_spec("hf:/models/animal/model").folder_name == "hf:animal/model"
    assert parse_spec("hf:/models/animal/base,name=Mine").folder_name == "Mine"


@pytest.mark.parametrize("text", ["", "nonsense", ":x", "hf:x,novalue", "hf:x,=3", "hf:x,a=1,a=2"])
def test_malformed_specs_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_spec(text)


@pytest.mark.parametrize("text", ["openai:m,api_key=abc", "openai:m,token=abc", "openai:m,base_url=http://u:p@h/v1"])
def test_secrets_in_a_spec_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(text)
    assert "abc" not in str(caught.value)
    assert "u:p" not in str(caught.value)


def test_a_yaml_file_is_a_spec(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text("scheme: baseline\ntarget: constant\noptions: {letter: B}\nname: Always B\n")
    spec = parse_spec(str(path))
    assert spec.text == "baseline:constant,letter=B"
    assert spec.display_name == "Always B"


@pytest.mark.parametrize("name", ["model.yaml", "lr=1e-5/model.yml", "a,b.yaml", "a:b.yml"])
def test_whatever_has_no_scheme_and_ends_as_yaml_is_a_model_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("{scheme: baseline, target: chance}")
    assert parse_spec(str(path)).text == "baseline:chance"


@pytest.mark.parametrize("text", ["routed:experts.yaml", "routed:sub/experts.yaml", "routed:./a/b.yml", "hf:x/y.yaml"])
def test_a_yaml_file_behind_a_scheme_is_its_target(text: str) -> None:
    scheme, _, target = text.partition(":")
    spec = parse_spec(text)
    assert (spec.scheme, spec.target) == (scheme, target)


@pytest.mark.parametrize("content", ["- a\n", "target: x\n", "scheme: a\nother: b\n", "{"])
def test_a_malformed_yaml_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"model\.yaml"):
        parse_spec(str(path))


def test_unknown_options_are_answered_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean 'letter'"):
        build_adapter(parse_spec("baseline:constant,leter=B"), load_registry())


def test_a_value_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(UsageError, match="concurrency"):
        build_adapter(parse_spec("openai:m,concurrency=many"), load_registry())


def test_options_of_every_adapter_are_described() -> None:
    for adapter in load_registry().model_adapters.values():
        for name, kind, _, what in option_fields(adapter):
            assert kind, name
            assert what, f"{adapter.scheme}: {name}"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    size: Annotated[int, msgspec.Meta(ge=1, description="how large")] = 1
    patience: Annotated[float, msgspec.Meta(description="seconds"), NEUTRAL] = 3.0
    others: Annotated[dict[str, str], PASSED_ON, msgspec.Meta(description="any of the engine's")] = {}


class Taking(ModelAdapter):
    """Keeps what its factory was given."""

    def __init__(self, target: str, options: Any) -> None:
        self.given = (target, options)


def registry_with(*types: AdapterType) -> Registry:
    registry = load_registry()
    registry.model_adapters |= {one.scheme: one for one in types}
    return registry


def got(spec: str, registry: Registry) -> tuple[str, Any]:
    adapter = build_adapter(parse_spec(spec), registry)
    assert isinstance(adapter, Taking)
    return adapter.given


def test_a_factory_gets_the_target_and_its_options_the_rest_in_the_field_marked_for_it() -> None:
    registry = registry_with(AdapterType(scheme="mine", description="", factory=Taking, options=Options))
    expected = Options(size=2, patience=3.0, others={"max_len": "8", "others": "x"})
    assert got("mine:t,size=2,max_len=8,others=x", registry) == ("t", expected)
    with pytest.raises(UsageError, match=r"mine: .*size"):
        got("mine:t,size=0", registry)


def test_without_declared_options_a_factory_gets_them_as_they_are_written() -> None:
    registry = registry_with(AdapterType(scheme="mine", description="", factory=Taking))
    assert got("mine:t,a=1", registry) == ("t", {"a": "1"})


def test_marks_on_the_fields_say_what_cannot_change_an_answer_and_what_is_passed_on() -> None:
    kind = AdapterType(scheme="mine", description="", factory=Taking, options=Options)
    assert kind.neutral_options == {"patience"}
    assert [row[0] for row in option_fields(kind)] == ["size", "patience"]
    assert kind.passed_on is not None
    assert description(kind.passed_on) == "any of the engine's"
    assert "timeout" in load_registry().model_adapters["openai"].neutral_options
    assert "extra" not in load_registry().model_adapters["openai"].neutral_options


def test_a_type_can_be_registered_for_one_target_of_a_scheme() -> None:
    registry = registry_with(
        AdapterType(scheme="mine", description="", factory=lambda target, options: Taking(f"all {target}", options)),
        AdapterType(scheme="mine:special", description="", factory=Taking, options=Options),
    )
    assert got("mine:special/one,size=2", registry) == ("special/one", Options(size=2))
    assert got("mine:specials", registry) == ("all specials", {})


_words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)


@given(_words, _words, st.dictionaries(_words.map(lambda w: f"x{w}"), _words, max_size=4))
def test_the_text_of_a_spec_reads_back_as_the_same_spec(scheme: str, target: str, options: dict[str, str]) -> None:
    spec = parse_spec(",".join([f"{scheme}:{target}", *(f"{k}={v}" for k, v in options.items())]))
    assert parse_spec(spec.text) == spec
    assert spec.options == options
