"""Models of the real lmms-eval behind `lmms:`."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from calling import call

from egocross_eval import Answered, EgoCrossError, Event, Run, RunError, UsageError, evaluate, load_run
from egocross_eval.contracts.registry import registry
from egocross_eval.interop.lmms_eval.conversation import words
from egocross_eval.model_adapters.spec import build_adapter, parse_spec

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def stumbles() -> Any:
    """The class of this folder, known to lmms-eval as a plugin's would be."""
    from lmms_eval.models import MODEL_REGISTRY_V2
    from lmms_eval.models.registry_v2 import ModelManifest
    from stumbling_model import Stumbles

    manifest = ModelManifest(model_id="stumbles", chat_class_path="stumbling_model.Stumbles")
    MODEL_REGISTRY_V2.register_manifest(manifest, overwrite=True)
    Stumbles.seen.clear()
    Stumbles.lists.clear()
    return Stumbles


def asked(demo: Path, tmp_path: Path, spec: str, **keywords: Any) -> Run:
    return evaluate(spec, data=demo, split="demo", output=tmp_path / "run", **keywords)


def test_a_class_answers_our_questions(demo: Path, tmp_path: Path) -> None:
    run = asked(demo, tmp_path, "lmms:dummy,response=B")
    assert {sample.grade.prediction for sample in run.samples} == {"B"}
    assert run.record.model.details["class"] == "lmms_eval.models.simple.dummy.Dummy"
    same = evaluate("baseline:constant,letter=B", data=demo, split="demo", output=tmp_path / "same")
    assert run.results.groups == same.results.groups


def test_a_class_of_another_environment_answers_the_same(demo: Path, tmp_path: Path) -> None:
    run = asked(demo, tmp_path, f"lmms:dummy,response=C,python={sys.executable}", limit=10)
    assert {sample.grade.prediction for sample in run.samples} == {"C"}
    assert run.record.model.details["class"] == "lmms_eval.models.simple.dummy.Dummy"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[LMMS_EVAL_REQUEST_FAILED after 3 retries] B", "request_failed"),
        ("[LMMS_EVAL_BUDGET_EXCEEDED]", "budget_exceeded"),
    ],
)
def test_its_failure_texts_are_failures(demo: Path, tmp_path: Path, text: str, kind: str) -> None:
    run = asked(demo, tmp_path, f"lmms:dummy,response={text}", limit=5)
    assert run.results.counts["errored"] == 5
    assert {sample.failure.kind for sample in run.samples if sample.failure} == {kind}


def test_what_fails_in_a_chunk_is_asked_alone_and_the_others_are_answered(
    demo: Path, tmp_path: Path, stumbles: Any
) -> None:
    run = asked(demo, tmp_path, "lmms:stumbles,over=dog,chunk=50")
    failed = [sample for sample in run.samples if sample.failure is not None]
    assert 0 < len(failed) < 100
    assert all("dog" in str(sample.question) for sample in failed)
    assert {sample.failure.kind for sample in failed if sample.failure} == {"out_of_memory"}
    assert {sample.grade.prediction for sample in run.samples if sample.failure is None} == {"B"}
    assert {size for size in stumbles.lists if size > 1} == {50}


def test_the_system_text_that_a_class_adds_is_recorded_and_gives_way_to_the_prompts(
    demo: Path, tmp_path: Path, stumbles: Any
) -> None:
    run = asked(demo, tmp_path, "lmms:stumbles", limit=3)
    assert run.record.model.details["added_system_text"] == "Be kind."
    assert [messages[0]["content"][0]["text"] for messages in stumbles.seen] == ["Be kind."] * 3
    stumbles.seen.clear()
    evaluate("lmms:stumbles", data=demo, split="demo", output=tmp_path / "json", limit=3, style="json")
    for messages in stumbles.seen:
        systems = [message for message in messages if message["role"] == "system"]
        assert len(systems) == 1
        assert systems[0]["content"][0]["text"].startswith("You watch first-person video")


def test_times_stand_between_frames_and_tokens_are_counted(demo: Path, tmp_path: Path, stumbles: Any) -> None:
    run = asked(demo, tmp_path, "lmms:stumbles", limit=3, timestamps=True)
    parts = stumbles.seen[0][1]["content"]
    first = next(number for number, part in enumerate(parts) if part["type"] == "image")
    assert parts[first - 1] == {"type": "text", "text": "<0.0 seconds>"}
    assert run.results.tokens["output"] == 3


def test_a_class_that_takes_frames_before_one_text_refuses_times(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words: list[str | Path] = ["--data", demo, "--split", "demo", "--output", tmp_path / "run"]
    assert call("--model", "lmms:dummy", *words, "--timestamps") == 2
    assert "lmms:dummy takes all frames before one text" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("python", ["", f",python={sys.executable}"])
@pytest.mark.parametrize("weights", ["", ",pretrained=./no/such/folder", ",model=some-one/that-is-nowhere"])
def test_an_unknown_class_is_named_with_what_is_near_before_its_weights_are_looked_at(
    python: str, weights: str
) -> None:
    spec = f"lmms:dumy{weights or ',x=1'}{python}"
    with pytest.raises(UsageError, match=r"lmms-eval has no model 'dumy' \(did you mean 'dummy'"):
        build_adapter(parse_spec(spec), registry())


@pytest.fixture
def without_litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "litellm", None)


@pytest.mark.parametrize("name", ["litellm", "litellm_chat"])
def test_a_client_whose_package_is_not_there_says_what_to_install_before_anything_is_asked(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_litellm: None, name: str
) -> None:
    with pytest.raises(UsageError, match=rf"lmms:{name} needs the package litellm.*: pip install 'litellm' there"):
        asked(demo, tmp_path, f"lmms:{name},model=openai/m", limit=2)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("python", ["", f",python={sys.executable}"])
def test_a_client_without_its_package_in_another_environment_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    """anthropic before 1.0 isn't in lmms-eval's environment; in that of the clients it is."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    with pytest.raises(UsageError, match=r"lmms:claude (needs the package|doesn't work with) anthropic.*'anthropic<1'"):
        build_adapter(parse_spec(f"lmms:claude,model_version=m{python}"), registry())


def test_a_package_that_is_missed_only_with_the_first_question_ends_the_run_by_name(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stumbles: Any
) -> None:
    with pytest.raises(UsageError, match=r"lmms:stumbles needs a package .*No module named 'no_such_package'"):
        asked(demo, tmp_path, "lmms:stumbles,needs=no_such_package", limit=40)
    assert len(stumbles.lists) == 1


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("batch_gpt4", "it sends frames as text"),
        ("gpt4o_audio", "it asks about sounds"),
        ("generation_api", "it makes videos"),
    ],
)
def test_a_client_that_can_not_show_frames_is_refused(name: str, why: str) -> None:
    with pytest.raises(UsageError, match=rf"lmms:{name} can't be asked about frames: {why}.*take lmms:openai"):
        build_adapter(parse_spec(f"lmms:{name}"), registry())


def test_a_client_that_would_ask_with_a_made_up_key_is_told_that_it_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("OPENAI_API_KEY", "AZURE_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    with pytest.raises(UsageError, match=r"lmms:gpt4v has no key for its server: set OPENAI_API_KEY \(or AZURE"):
        build_adapter(parse_spec("lmms:gpt4v"), registry())


def test_messages_are_parted_where_a_class_takes_one_text() -> None:
    messages = [{"role": role, "content": [{"type": "text", "text": role}]} for role in ("system", "user")]
    assert words(messages) == "system\n\nuser"


def test_a_class_that_takes_frames_before_one_text_refuses_examples_with_frames(demo: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"lmms:dummy takes all frames before one text.*without --timestamps and shots"
    ):
        asked(demo, tmp_path, "lmms:dummy", limit=2, shots="1")


@pytest.mark.parametrize(("name", "package"), [("sglang", "sglang"), ("vllm", "vllm"), ("tinyllava", "tinyllava")])
def test_a_class_that_lacks_a_package_names_it_whether_it_minds_at_once_or_later(
    demo: Path, tmp_path: Path, name: str, package: str
) -> None:
    """sglang is imported whatever happens; the others are tried, and missed when the class is made."""
    if importlib.util.find_spec(package) is not None:
        pytest.skip("the package that it lacks is here")
    with pytest.raises(EgoCrossError, match=rf"lmms:{name} .*\(it looked in vain for .*{package}"):
        asked(demo, tmp_path, f"lmms:{name}", limit=2)


def test_a_class_that_is_broken_itself_is_told_in_a_line(demo: Path, tmp_path: Path) -> None:
    """lmms-eval 0.7.3 lists `bagel`, whose module has no such class."""
    with pytest.raises(RunError, match=r"lmms:bagel can't be imported: AttributeError: .*has no attribute 'Bagel'"):
        asked(demo, tmp_path, "lmms:bagel", limit=2)


def test_arguments_that_a_class_refuses_are_told(demo: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"lmms:stumbles refuses its arguments: .*'colour'"):
        asked(demo, tmp_path, "lmms:stumbles,colour=red", limit=2)


def test_a_process_that_dies_ends_the_run_and_the_same_command_goes_on(demo: Path, tmp_path: Path) -> None:
    spec = f"lmms:dummy,response=A,chunk=10,python={sys.executable}"
    adapter: Any = build_adapter(parse_spec(spec), registry())

    def kill(event: Event) -> None:
        if isinstance(event, Answered):
            os.kill(adapter._session._process.pid, signal.SIGKILL)

    with pytest.raises(RunError, match="lmms:dummy: its process ended with exit code -9"):
        evaluate(adapter, data=demo, split="demo", output=tmp_path / "run", on_event=kill)
    adapter.close()
    assert len(load_run(tmp_path / "run").samples) == 10


def test_an_environment_without_lmms_eval_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho '{}'\n")
    python.chmod(0o755)
    with pytest.raises(UsageError, match="has no lmms_eval; name one that has by python="):
        build_adapter(parse_spec(f"lmms:dummy,python={python}"), registry())
