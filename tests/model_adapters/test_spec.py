"""Model specs from the command line and from YAML files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.contracts.registry import load_registry
from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.spec import build_adapter, option_fields, parse_spec


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
    assert parse_spec("hf:./some/where/ckpt").display_name == "hf:ckpt"
    assert parse_spec("hf:Qwen/Qwen3-VL-4B-Instruct").display_name == "hf:Qwen/Qwen3-VL-4B-Instruct"


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
        for name, kind, _, description in option_fields(adapter):
            assert kind, name
            assert description, f"{adapter.scheme}: {name}"


_words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)


@given(_words, _words, st.dictionaries(_words.map(lambda w: f"x{w}"), _words, max_size=4))
def test_the_text_of_a_spec_reads_back_as_the_same_spec(scheme: str, target: str, options: dict[str, str]) -> None:
    spec = parse_spec(",".join([f"{scheme}:{target}", *(f"{k}={v}" for k, v in options.items())]))
    assert parse_spec(spec.text) == spec
    assert spec.options == options
