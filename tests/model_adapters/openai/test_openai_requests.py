"""What the chat adapter sends, and in what order and number."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calling import call
from fake_server import HTTP_500, FakeServer, http_error, slow
from hypothesis import given, settings
from hypothesis import strategies as st
from openai_requests import OPTIONS, adapter, ask, picture, request, requests
from PIL import Image

from egocross_eval import Frame, GenerationSettings, Message, Prompt, Request, RunError, TextPart, UsageError, VideoPart
from egocross_eval.model_adapters.openai.adapter import build
from egocross_eval.model_adapters.openai.body import BodyWriter
from egocross_eval.model_adapters.openai.options import OpenAIOptions
from egocross_eval.model_adapters.openai.pieces import EncodedFrame


def body_of(asked: Request, **options: Any) -> Any:
    """The decoded body of a request."""
    import pybase64

    writer = BodyWriter(OpenAIOptions(**options), tokens_field="max_tokens")
    pieces = [*writer.beginning(asked, "m"), writer.end(asked)]
    return json.loads(b"".join(p if isinstance(p, bytes) else pybase64.b64encode(p.data) for p in pieces))


def test_frames_arrive_byte_for_byte_and_in_order(tmp_path: Path) -> None:
    files = [picture(tmp_path / name, seed=k) for k, name in enumerate(["a.jpg", "b.png", "c.jpg"])]
    misnamed = tmp_path / "png_inside.jpg"
    misnamed.write_bytes(files[1].read_bytes())
    files.append(misnamed)
    with FakeServer() as server:
        ask(adapter(server), [request("q", frames=files)])
    images = server.calls[0].images
    sent = [hashlib.sha256(data).hexdigest() for _, data in images]
    assert sent == [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    assert [mime for mime, _ in images] == ["image/jpeg", "image/png", "image/jpeg", "image/png"]
    assert [part["type"] for part in server.calls[0].parts] == ["image_url"] * 4 + ["text"]


def test_only_frames_beyond_the_pixel_budget_are_scaled(tmp_path: Path) -> None:
    small, large = picture(tmp_path / "small.jpg", (40, 30)), picture(tmp_path / "large.jpg", (400, 300))
    png = picture(tmp_path / "large.png", (400, 300))
    with FakeServer() as server:
        ask(adapter(server), [request("q", frames=[small, large, png], max_pixels=1200)])
    (_, first), (jpeg_mime, second), (png_mime, third) = server.calls[0].images
    assert first == small.read_bytes()
    assert (jpeg_mime, png_mime) == ("image/jpeg", "image/png")
    for data in (second, third):
        width, height = Image.open(io.BytesIO(data)).size
        assert 1000 < width * height <= 1200


def test_a_prompt_of_text_alone_is_sent_in_the_plain_form() -> None:
    body = body_of(request("q", system="Be brief."))
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert isinstance(body["messages"][1]["content"], str)
    assert body["model"] == "m"


def test_text_parts_stay_apart_as_they_come(tmp_path: Path) -> None:
    frame = picture(tmp_path / "a.jpg")
    asked = request("q", frames=[frame])
    message = Message(
        role="user", parts=(TextPart(text="<0.0 seconds>"), TextPart(text="\n"), *asked.prompt.messages[0].parts)
    )
    body = body_of(
        Request(key="q", prompt=Prompt(messages=(message,), style="x"), settings=asked.settings, options=OPTIONS)
    )
    assert [part["type"] for part in body["messages"][0]["content"]] == ["text", "text", "image_url", "text"]


@given(st.text(), st.text(max_size=20))
@settings(max_examples=100, deadline=None)
def test_any_text_survives_the_body(text: str, model: str) -> None:
    message = Message(role="user", parts=(TextPart(text=text), TextPart(text=text[::-1])))
    asked = Request(
        key="q", prompt=Prompt(messages=(message,), style="x"), settings=GenerationSettings(), options=OPTIONS
    )
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    body = body_of(asked)
    assert [part["text"] for part in body["messages"][0]["content"]] == [text, text[::-1]]


@given(st.binary(max_size=200))
def test_the_announced_size_of_a_frame_is_its_encoded_size(data: bytes) -> None:
    import pybase64

    assert EncodedFrame(data).size == len(pybase64.b64encode(data))


def test_settings_decide_the_body_fields() -> None:
    plain = body_of(request("q", max_new_tokens=77))
    assert (plain["max_tokens"], plain["temperature"]) == (77, 0.0)
    assert "seed" not in plain
    assert "top_p" not in plain
    sampled = body_of(request("q", temperature=0.7, top_p=0.9, seed=5))
    assert (sampled["temperature"], sampled["top_p"], sampled["seed"]) == (0.7, 0.9, 5)
    lean = body_of(
        request("q", temperature=0.7), drop="seed+temperature", extra='{"reasoning_effort": "low", "max_tokens": 9}'
    )
    assert "seed" not in lean
    assert "temperature" not in lean
    assert (lean["reasoning_effort"], lean["max_tokens"]) == ("low", 9)


def test_a_video_is_sent_in_the_form_of_vllm_with_its_true_times(tmp_path: Path) -> None:
    files = [picture(tmp_path / f"{k}.jpg", seed=k) for k in range(3)]
    part = VideoPart(
        frames=tuple(Frame(name=f.name, time=float(t)) for f, t in zip(files, (0, 2, 6), strict=True)),
        paths=tuple(str(f) for f in files),
        fps=25.0,
        indices=(0, 50, 150),
    )
    prompt = Prompt(messages=(Message(role="user", parts=(part, TextPart(text="What?"))),), style="x")
    body = body_of(Request(key="q", prompt=prompt, settings=GenerationSettings(), options=OPTIONS))
    url = body["messages"][0]["content"][0]["video_url"]["url"]
    assert url.startswith("data:video/jpeg;base64,")
    assert url.count(",") == 3
    times = body["media_io_kwargs"]["video"]
    assert times == {
        "num_frames": -1,
        "fps": 25.0,
        "frames_indices": [0, 50, 150],
        "total_num_frames": 151,
        "duration": 6.0,
        "do_sample_frames": False,
    }


def test_videos_are_offered_only_on_request() -> None:
    assert not build("m", OpenAIOptions()).capabilities().video
    assert build("m", OpenAIOptions(video=True)).capabilities().video


def test_answers_come_as_they_finish_one_for_each_request() -> None:
    def faults(call: Any) -> Any:
        return slow(0.5) if "Question q0" in call.text else None

    with FakeServer(answers=lambda call: call.text.split(":")[0], faults=faults) as server:
        order = [(r.key, r.text) for r in adapter(server, concurrency=4).generate(requests(20))]
    assert sorted(order) == sorted((f"q{k}", f"Question q{k}") for k in range(20))
    assert order[0][0] != "q0"


def test_requests_are_drawn_lazily_and_concurrency_is_bounded() -> None:
    drawn = 0

    def counted() -> Iterator[Request]:
        nonlocal drawn
        for asked in requests(60):
            drawn += 1
            yield asked

    with FakeServer(latency=0.02) as server:
        ended = 0
        for _ in adapter(server, concurrency=5).generate(counted()):
            ended += 1
            assert drawn <= ended + 5
    assert ended == 60
    assert server.most_at_once == 5


def test_closing_the_generator_cancels_what_is_under_way() -> None:
    with FakeServer(latency=0.05) as server:
        responses = adapter(server, concurrency=4).generate(requests(100))
        next(responses)
        responses.close()  # type: ignore[attr-defined]
        assert server.count <= 9


def test_an_error_of_the_request_source_comes_through() -> None:
    def broken() -> Iterator[Request]:
        yield request("q0")
        raise RuntimeError("no more")

    with FakeServer() as server, pytest.raises(RuntimeError, match="no more"):
        list(adapter(server).generate(broken()))


def test_it_works_where_a_loop_runs_already_as_in_a_notebook() -> None:
    async def cell() -> dict[str, Any]:
        return ask(adapter(server, model=""), requests(5))

    with FakeServer(answers="A") as server:
        assert len(asyncio.run(cell())) == 5


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_ctrl_c_ends_the_generator_and_its_connections_cleanly() -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from openai_requests import adapter, requests\n"
        "try:\n"
        "    for response in adapter(sys.argv[1], concurrency=3).generate(requests(100)):\n"
        "        print(response.key, flush=True)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', flush=True)\n"
    )
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

    def faults(call: Any) -> Any:
        return slow(60) if call.number > 3 else None

    with FakeServer(faults=faults) as server:
        process = subprocess.Popen(
            # Not `-X dev`: it has asyncio complain of any step that takes long, as each does on a busy machine.
            [sys.executable, "-W", "default", "-c", code, server.base_url, *paths],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        shown = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=120)
    assert len(shown) == 3
    assert output.strip() == "interrupted"
    assert errors == ""
    assert process.returncode == 0


def test_reading_of_answers() -> None:
    with FakeServer(message={"content": [{"type": "text", "text": "The "}, {"type": "text", "text": "B"}]}) as server:
        assert ask(adapter(server), [request("q")])["q"].text == "The B"
    with FakeServer(answers="B", message={"reasoning_content": "hmm"}) as server:
        response = ask(adapter(server), [request("q")])["q"]
        assert (response.text, response.reasoning, response.finish_reason) == ("B", "hmm", "stop")
        assert response.input_tokens
        assert response.output_tokens == 1
        assert response.seconds
    with FakeServer(message={"content": None, "refusal": "I can't help with that"}) as server:
        refused = ask(adapter(server), [request("q")])["q"]
        assert refused.filtered
        assert refused.failure is not None
        assert refused.failure.message.endswith(": I can't help with that")


def test_thinking_that_was_cut_off_is_an_answer_and_not_retried() -> None:
    with FakeServer(message={"content": None, "reasoning": "First I"}, finish_reason="length") as server:
        response = ask(adapter(server), [request("q")])["q"]
    assert (response.text, response.reasoning, response.finish_reason) == ("", "First I", "length")
    assert server.count == 1


def test_a_content_filter_is_a_failure_and_not_retried() -> None:
    with FakeServer(message={"content": None}, finish_reason="content_filter") as server:
        response = ask(adapter(server), [request("q")])["q"]
    assert response.failure is not None
    assert response.failure.kind == "filtered"
    assert server.count == 1


def test_choose_mode_compares_the_letters_of_the_first_token() -> None:
    with FakeServer(answers="C") as server:
        response = ask(adapter(server), [request("q", answer_mode="choose")])["q"]
    assert response.scores is not None
    assert max(response.scores, key=lambda letter: response.scores[letter]) == "C"  # type: ignore[index]
    assert set(response.scores) == set("ABCD")
    assert response.scores["C"] == pytest.approx(-0.3567, abs=1e-3)  # log(0.5 + 0.2): "C" and " C"
    body = server.calls[0].body
    assert (body["max_tokens"], body["logprobs"], body["top_logprobs"]) == (1, True, 20)


def test_choose_mode_without_a_letter_in_sight_says_what_was_seen() -> None:
    with FakeServer(answers="<think>") as server:
        failure = ask(adapter(server, logprobs=2), [request("q", answer_mode="choose")])["q"].failure
    assert failure is not None
    assert failure.kind == "no_label_scores"
    assert "'<'" in failure.message
    assert not failure.retryable


def test_an_empty_target_takes_the_only_model_of_the_server() -> None:
    with FakeServer(models=("org/only",)) as server:
        model = adapter(server, model="")
        ask(model, [request("q")])
        assert server.calls[0].body["model"] == "org/only"
        assert model.details()["replied_as"] == ["org/only"]


def test_an_empty_target_is_refused_where_the_server_has_several() -> None:
    with FakeServer(models=("first", "second")) as server, pytest.raises(UsageError, match="first, second"):
        adapter(server, model="").fingerprint()
    with pytest.raises(RunError, match="name the model"):
        adapter(server, model="").fingerprint()


SECRET = "sk-verysecret-0123456789"


def test_the_key_is_sent_and_shows_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_API_KEY", SECRET)
    with FakeServer(api_key=SECRET, faults=[http_error(400, f"Bearer {SECRET} is odd")]) as server:
        model = adapter(server, api_key_env="SERVER_API_KEY")
        first, second = ask(model, [request("q")])["q"], ask(model, [request("q")])["q"]
    assert first.failure is not None
    assert "is odd" in first.failure.message
    assert second.text
    assert SECRET not in repr((first, second, model.details(), model.fingerprint(), model.__dict__))


def test_a_wrong_key_that_the_server_repeats_is_blanked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", SECRET)
    with FakeServer(api_key="another") as server:
        failure = ask(adapter(server, api_key_env="MY_API_KEY"), [request("q")])["q"].failure
    assert failure is not None
    assert failure.kind == "http_401"
    assert "Incorrect API key provided: Bearer [key]" in failure.message
    assert SECRET not in failure.message


def test_a_named_key_variable_must_be_set() -> None:
    with pytest.raises(UsageError, match="NO_SUCH_API_KEY"):
        list(adapter("http://127.0.0.1:9/v1", api_key_env="NO_SUCH_API_KEY").generate(requests(1)))


@pytest.mark.parametrize(
    "url", ["http://me:pw@host/v1", "ftp://host/v1", "host:8000/v1", "http://host/v1?key=abc", "http://[::1"]
)
def test_addresses_that_are_unsafe_or_wrong_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError) as from_option:
        build("m", OpenAIOptions(base_url=url))
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(UsageError) as from_environment:
        build("m", OpenAIOptions())
    for error in (from_option, from_environment):
        assert "pw" not in str(error.value)
        assert "abc" not in str(error.value)


@pytest.mark.parametrize(
    "options", [{"extra": "not json"}, {"extra": "[1]"}, {"extra": '{"model": "x"}'}, {"drop": "messages"}]
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        build("m", OpenAIOptions(**options))


def test_the_fingerprint_follows_what_shapes_answers_and_nothing_else() -> None:
    def of(model: str = "m", **options: Any) -> str:
        return build(model, OpenAIOptions(base_url="http://h/v1", **options)).fingerprint()

    assert of() == of(concurrency=3, timeout=9, max_retries=1, backoff=1, patience=3)
    different = [
        of(),
        of("n"),
        of(extra='{"reasoning_effort":"low"}'),
        of(drop="seed"),
        of(tokens_field="max_completion_tokens"),
    ]
    assert len(set(different)) == len(different)


def test_openai_itself_gets_the_field_it_wants() -> None:
    model = build("gpt", OpenAIOptions())
    assert model._bodies.fixed_fields(GenerationSettings(max_new_tokens=5)) == {
        "temperature": 0.0,
        "max_completion_tokens": 5,
    }


def test_making_an_adapter_connects_to_nothing_and_starts_no_thread() -> None:
    before = set(threading.enumerate())
    with FakeServer(faults=lambda call: HTTP_500) as server:
        adapter(server)
        assert server.count == 0
    assert set(threading.enumerate()) <= before


def test_detail_and_form_of_images_are_as_the_model_spec_says(tmp_path: Path) -> None:
    from egocross_eval.frames.pictures import picture_format

    png = picture(tmp_path / "a.png", (400, 300))
    [image] = [part for part in body_of(request("q", frames=[png]))["messages"][-1]["content"] if "image_url" in part]
    assert set(image["image_url"]) == {"url"}
    told = body_of(request("q", frames=[png]), detail="low", jpeg=True)
    [image] = [part for part in told["messages"][-1]["content"] if "image_url" in part]
    assert image["image_url"]["detail"] == "low"
    head, _, data = image["image_url"]["url"].partition(",")
    content = base64.b64decode(data)
    assert head == "data:image/jpeg;base64"
    assert picture_format(content) == "JPEG"
    assert Image.open(io.BytesIO(content)).size == (400, 300)
    plain, low = (
        build("m", OpenAIOptions(base_url="http://127.0.0.1:1/v1", detail=detail)) for detail in (None, "low")
    )
    assert plain.fingerprint() != low.fingerprint()


@pytest.mark.parametrize(
    ("address", "images", "megabytes"),
    [
        ("https://api.openai.com/v1", 500, 50),
        ("https://api.anthropic.com/v1", 100, 32),
        ("https://mine.openai.azure.com/openai/v1", 50, None),
        ("http://127.0.0.1:8000/v1", None, None),
        ("https://notopenai.com/v1", None, None),
    ],
)
def test_what_a_provider_takes_is_known_and_can_be_said(
    address: str, images: int | None, megabytes: int | None
) -> None:
    can = build("m", OpenAIOptions(base_url=address)).capabilities()
    assert (can.max_images, can.max_body) == (images, megabytes and megabytes * 10**6)
    can = build("m", OpenAIOptions(base_url=address, max_images=7, max_body=1.5)).capabilities()
    assert (can.max_images, can.max_body) == (7, 1_500_000)


def test_questions_that_are_too_large_are_refused_before_anything_is_sent(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def dry_run(options: str, *more: str) -> str:
        model = f"openai:m,base_url=http://127.0.0.1:1/v1,{options}"
        code = call("--model", model, "--data", demo, "--dry-run", *more)
        shown = capsys.readouterr()
        assert (code == 0) == ("questions  100" in shown.out)
        return shown.err

    assert "takes at most 3 images" in dry_run("max_images=3")
    assert "takes at most 0 MB in a request, and question" in dry_run("max_body=0.02")
    assert "takes at most" not in dry_run("max_body=100")
    assert "takes at most" not in dry_run("max_body=0.02", "--frames", "none")
