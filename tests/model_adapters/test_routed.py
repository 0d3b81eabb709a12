"""`routed:FILE.yaml`: questions go to models by one of their labels, whatever it's called."""

from __future__ import annotations

from pathlib import Path

import pytest

from egocross_eval import GenerationSettings, ModelAdapter, Prompt, Request, Response, Run, UsageError, evaluate
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


def in_a_run(folder: Path, demo: Path, content: str, options: str = "", *, tasks: str = "all") -> Run:
    """A run by a route file over the demo, below `folder`."""
    path = folder / "experts.yaml"
    path.write_text(content)
    return evaluate(f"routed:{path}{options}", data=demo, output=folder / "run", tasks=tasks)


EXPERTS = "models: {animal: 'baseline:longest', surgery: 'baseline:chance'}\n"


@pytest.mark.filterwarnings("ignore:of the questions")
@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (
            EXPERTS + "by: domian\ndefault: baseline:chance",
            "",
            r"experts\.yaml: no question of the run has a label 'domian' \(did you mean 'domain'\?\); "
            "by may be: category, cluster, dataset, domain, question_type, split",
        ),
        (EXPERTS, ",by=kind", "no question of the run has a label 'kind'; by may be: category, "),
        (
            EXPERTS,
            "",
            r"no model for questions of domain industry \(\d+\), xsports \(\d+\), and no default; "
            "it has models for: animal, surgery; name a model for each, or a default, or ask only tasks",
        ),
    ],
)
def test_a_run_with_questions_that_no_model_is_named_for_is_refused_before_the_first(
    tmp_path: Path, demo: Path, content: str, options: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        in_a_run(tmp_path, demo, content, options)
    assert not (tmp_path / "run").exists()


@pytest.mark.filterwarnings("ignore:of the questions")
def test_a_route_that_a_run_has_no_question_for_is_no_fault(tmp_path: Path, demo: Path) -> None:
    assert in_a_run(tmp_path, demo, EXPERTS, tasks="animal").results.complete


@pytest.mark.filterwarnings("ignore:of the questions")
def test_a_route_that_looks_misspelt_beside_a_default_is_warned_of(tmp_path: Path, demo: Path) -> None:
    content = "models: {animals: 'baseline:longest'}\ndefault: baseline:chance"
    with pytest.warns(UserWarning, match=r"has domain 'animals' \(did you mean 'animal'\?\); the default answers"):
        in_a_run(tmp_path, demo, content)


@pytest.mark.filterwarnings("ignore:of the questions")
def test_a_strategy_that_leads_to_a_route_file_without_a_model_is_refused_too(tmp_path: Path, demo: Path) -> None:
    (tmp_path / "experts.yaml").write_text("models: {surgery: 'baseline:longest'}")
    rules = tmp_path / "strategy.yaml"
    rules.write_text(f"rules:\n  - for: {{domain: animal}}\n    model: routed:{tmp_path / 'experts.yaml'}\n")
    with pytest.raises(UsageError, match="no model for questions of domain animal"):
        evaluate("baseline:chance", data=demo, output=tmp_path / "run", strategy=str(rules))


def test_the_published_checkpoints_refuse_other_benchmarks_before_anything_is_fetched() -> None:
    adapter = build_adapter(parse_spec("routed:published"), registry())
    with pytest.raises(UsageError, match="routed:published: no question of the run has a label 'domain'"):
        adapter.check_labels([{"kind": "what"}])
    adapter.check_labels([{"domain": "animal"}])
