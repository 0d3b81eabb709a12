"""What tasks of lmms-eval ask of our adapters, as requests of ours."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from egocross_eval import ImagePart, TextPart, UsageError
from egocross_eval.contracts.registry import registry
from egocross_eval.interop.lmms_eval.inner_requests import Pictures, request_of, settings_of, until
from egocross_eval.interop.lmms_eval.task_folder import generation_kwargs
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import plan_run
from egocross_eval.settings import GenerationSettings


def instance(messages: list[dict[str, Any]], **kwargs: Any) -> Any:
    return SimpleNamespace(args=("ctx", lambda doc: messages, kwargs, 0, "theirs", "test"))


def request(messages: list[dict[str, Any]], doc: dict[str, Any] | None = None) -> Any:
    return request_of(0, instance(messages), {"theirs": {"test": [doc or {"question": "Why?"}]}}, Pictures())


def user(*content: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(content)}]


def test_pictures_in_memory_become_files_of_the_same_pixels() -> None:
    picture = Image.effect_noise((40, 30), 50).convert("RGB")
    pictures = Pictures()
    made = request_of(
        0,
        instance(user({"type": "image", "url": picture}, {"type": "text", "text": "Why?"})),
        {"theirs": {"test": [{}]}},
        pictures,
    )
    (shown,) = made.prompt.images()
    with Image.open(shown.path) as kept:
        assert kept.convert("RGB").tobytes() == picture.tobytes()
    assert made.frame_hashes
    pictures.close()
    assert not Path(shown.path).exists()


def test_texts_and_pictures_keep_their_order(demo: Path) -> None:
    path = str(next(demo.rglob("*.jpg")))
    content = [{"type": "text", "text": "first"}, {"type": "image", "url": path}, {"type": "text", "text": "then"}]
    parts = request(user(*content)).prompt.messages[0].parts
    assert [type(part) for part in parts] == [TextPart, ImagePart, TextPart]
    assert parts[1].path == path


def test_a_text_alone_is_a_message() -> None:
    made = request([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}])
    assert [(message.role, message.parts[0].text) for message in made.prompt.messages] == [
        ("system", "Be brief."),
        ("user", "Why?"),
    ]


def test_clips_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match="the task theirs shows video"):
        request(user({"type": "video", "url": "clip.mp4"}))


def test_our_own_questions_come_with_options_and_without_answer(demo: Path) -> None:
    from egocross_eval.interop.lmms_eval.documents import document

    plan = plan_run(options_from(data=demo, split="demo"), registry())
    question = plan.questions[0]
    made = request(user({"type": "text", "text": "?"}), {**_fields(document(plan, question))})
    assert made.options == question.options
    assert made.choices == tuple(question.options)
    assert made.labels["domain"] == question.label("domain")
    assert question.references["detailed_answer"] not in str(made)


def _fields(document: Any) -> dict[str, Any]:
    return {name: getattr(document, name) for name in document.__struct_fields__}


@pytest.mark.parametrize(
    "settings",
    [GenerationSettings(), GenerationSettings(max_new_tokens=7), GenerationSettings(temperature=0.7, top_p=0.5)],
)
def test_settings_come_back_as_they_went(settings: GenerationSettings) -> None:
    assert settings_of(generation_kwargs(settings)) == settings


def test_a_temperature_without_sampling_is_none() -> None:
    assert settings_of({"temperature": 0.7, "do_sample": False}).temperature == 0


@pytest.mark.parametrize(("given", "stops"), [("\n", ["\n"]), (["a", "b"], ["a", "b"]), ([], []), (None, [])])
def test_the_texts_at_which_an_answer_ends(given: Any, stops: list[str]) -> None:
    assert until(instance([], until=given)) == stops
