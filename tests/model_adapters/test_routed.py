"""`routed:FILE.yaml`: questions go to models by one of their labels, whatever it's called."""

from __future__ import annotations

from pathlib import Path

import pytest

from egocross_eval import GenerationSettings, ModelAdapter, Prompt, Request, Response, UsageError
from egocross_eval.contracts.registry import registry
from egocross_eval.model_adapters.spec import build_adapter, parse_spec

OPTIONS = {"A": "a", "B": "b"}


def request(key: str, **labels: str) -> Request:
    prompt = Prompt(messages=(), style="letter")
    return Request(key=key, prompt=prompt, settings=GenerationSettings(), options=OPTIONS, labels=labels)


def routed(folder: Path, content: str, options: str = "") -> ModelAdapter:
    path = folder / "sub" / "experts.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return build_adapter(parse_spec(f"routed:{path}{options}"), registry())


def answers(adapter: ModelAdapter, *requests: Request) -> dict[str, Response]:
    return {response.key: response for response in adapter.generate(iter(requests))}


FILE = """
models: {north: "baseline:constant,letter=A", south: "baseline:constant,letter=B"}
by: region
"""


def test_the_label_that_the_file_names_decides(tmp_path: Path) -> None:
    found = answers(routed(tmp_path, FILE), request("1", region="south"), request("2", region="north"))
    assert (found["1"].text, found["2"].text) == ("B", "A")


def test_the_spec_can_name_another_label(tmp_path: Path) -> None:
    adapter = routed(tmp_path, FILE, ",by=wing")
    assert answers(adapter, request("1", region="south", wing="north"))["1"].text == "A"


def test_questions_that_no_model_is_named_for_fail_unless_there_is_a_default(tmp_path: Path) -> None:
    failure = answers(routed(tmp_path, FILE), request("1", region="east"))["1"].failure
    assert failure is not None
    assert failure.kind == "no_route"
    assert "'east', and no default; the route file has: north, south" in failure.message
    with_default = routed(tmp_path, FILE + "default: baseline:longest")
    assert answers(with_default, request("1", region="east"))["1"].text == "A"


def test_a_label_that_the_questions_do_not_have_is_said_with_those_they_have(tmp_path: Path) -> None:
    failure = answers(routed(tmp_path, FILE), request("1", domain="animal", dataset="EgoPet"))["1"].failure
    assert failure is not None
    assert "no label 'region'; by= may be: domain, dataset" in failure.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("models: {}", "names no model"),
        ("models: {a: nonsense}", "is not scheme:target"),
        ("models: {a: 'routed:other.yaml'}", "can't lead to another route file"),
        ("model: {}", "model"),
    ],
)
def test_a_route_file_that_makes_no_sense_is_named(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(UsageError, match=rf"experts\.yaml.*{said}"):
        routed(tmp_path, content)
