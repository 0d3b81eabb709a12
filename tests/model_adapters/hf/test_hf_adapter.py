"""The `hf` adapter on a real Qwen3-VL: the same answers as a plain loop, whatever the batches; failures stay alone."""

from __future__ import annotations

import json
import math
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import checkpoints
import msgspec
import pytest
from hf_plain import PlainLoop
from hf_requests import (
    OPTIONS,
    adapter,
    answers,
    draw_frames,
    make_request,
    mixed_requests,
    scores_of,
    singly,
    text_of,
)

from egocross_eval import UsageError

pytestmark = pytest.mark.slow

CLOSE = 2e-4
"""Log-probabilities in float32 differ by rounding where batches differ in shape."""


@pytest.fixture(scope="module")
def plain(vivid_checkpoint: Path) -> PlainLoop:
    return PlainLoop(vivid_checkpoint)


@pytest.mark.parametrize("media", ["images", "video"])
def test_letters_have_the_log_probabilities_of_a_plain_loop(
    vivid_checkpoint: Path, plain: PlainLoop, tmp_path: Path, media: Any
) -> None:
    requests = mixed_requests(tmp_path, media=media, max_pixels=None)
    if media == "video":
        requests = [request for request in requests if len(request.prompt.frame_paths()) > 1]
    got = answers(vivid_checkpoint, requests)
    for request in requests:
        assert scores_of(got[request.key]) == pytest.approx(plain.scores(request), abs=CLOSE)
    leads = [scores_of(response)["A"] - scores_of(response)["B"] for response in got.values()]
    assert max(leads) - min(leads) > 0.5, "the model hardly varies"


@pytest.mark.parametrize("media", ["images", "video"])
def test_greedy_texts_are_those_of_a_plain_loop(
    vivid_checkpoint: Path, plain: PlainLoop, tmp_path: Path, media: Any
) -> None:
    requests = mixed_requests(tmp_path, mode="generate", media=media, max_pixels=None)
    if media == "video":
        requests = [request for request in requests if len(request.prompt.frame_paths()) > 1]
    got = answers(vivid_checkpoint, requests)
    assert {key: text_of(response) for key, response in got.items()} == {
        request.key: plain.text(request) for request in requests
    }
    assert len({response.text for response in got.values()}) > 3, "the model never varies"


@pytest.mark.parametrize("options", [{}, {"batch_size": 2}, {"batch_tokens": 200}, {"window": 3}, {"threads": 1}])
def test_batching_does_not_change_answers(vivid_checkpoint: Path, tmp_path: Path, options: dict[str, int]) -> None:
    requests = mixed_requests(tmp_path)
    alone = singly(vivid_checkpoint, requests)
    together = answers(vivid_checkpoint, requests, **options)
    for key in alone:
        assert scores_of(together[key]) == pytest.approx(scores_of(alone[key]), abs=CLOSE)
        assert together[key].input_tokens == alone[key].input_tokens


@pytest.mark.parametrize("mode", ["choose", "constrained"])
def test_labels_that_one_token_cannot_tell_apart_fail_by_name_and_the_others_are_answered(
    vivid_checkpoint: Path, mode: Any
) -> None:
    letters = make_request("letters", [], mode=mode)
    long = msgspec.structs.replace(make_request("long", [], mode=mode), options={"yes indeed": "", "no": ""})
    none = msgspec.structs.replace(make_request("none", [], mode=mode), options={})
    found = answers(vivid_checkpoint, [long, letters, none])
    assert found["letters"].failure is None
    failures = {key: found[key].failure for key in ("long", "none")}
    assert all(failure is not None and failure.kind == "labels" for failure in failures.values())
    assert "no single token for the label 'yes indeed'" in str(failures["long"])
    assert "no options to choose among" in str(failures["none"])


def test_questions_without_frames_may_stand_among_those_with_frames(vivid_checkpoint: Path, tmp_path: Path) -> None:
    paths = draw_frames(tmp_path, 2)
    requests = [make_request(f"q{i}", paths if i % 2 else [], text=f"Which one, {i}?") for i in range(6)]
    requests += [make_request("clip", paths, media="video")]
    alone = singly(vivid_checkpoint, requests)
    for key, response in answers(vivid_checkpoint, requests).items():
        assert scores_of(response) == pytest.approx(scores_of(alone[key]), abs=CLOSE)


def test_a_system_message_reaches_the_model(vivid_checkpoint: Path, tmp_path: Path) -> None:
    paths = draw_frames(tmp_path, 2)
    requests = [make_request("without", paths), make_request("with", paths, system="Answer like a pirate.")]
    got = answers(vivid_checkpoint, requests)
    assert scores_of(got["with"]) != pytest.approx(scores_of(got["without"]), abs=0.01)


def test_scores_are_log_probabilities_of_single_tokens(tiny_checkpoint: Path, tmp_path: Path) -> None:
    (response,) = answers(tiny_checkpoint, [make_request("q", draw_frames(tmp_path, 1))]).values()
    scores = scores_of(response)
    assert list(scores) == list(OPTIONS)
    assert 0 < sum(math.exp(score) for score in scores.values()) < 1
    assert response.text is None


def test_the_true_times_of_a_videos_frames_stand_in_the_prompt(tiny_checkpoint: Path, tmp_path: Path) -> None:
    from egocross_eval.model_adapters.checkpoints.preparation import Item, Loaded, Preparer
    from egocross_eval.model_adapters.checkpoints.processor import load_processor
    from egocross_eval.model_adapters.hf.engine import Engine
    from egocross_eval.model_adapters.hf.loading import load_model
    from egocross_eval.model_adapters.hf.memory import Room
    from egocross_eval.model_adapters.hf.options import HfOptions

    model = adapter(tiny_checkpoint)
    processor = load_processor(model._checkpoint)
    preparer = Preparer(processor, None)
    engine = Engine(load_model(model._checkpoint, HfOptions(device="cpu")), preparer, Room(8192))
    cases = {
        # Pairs of frames share a mark: the mean of their times. A last odd frame is its own pair.
        (0.0, 2.0, 4.0, 6.0): ["1.0", "5.0"],
        (0.0, 2.0, 8.0): ["1.0", "8.0"],
        (30.0, 31.0, 35.0, 36.0, 40.0): ["30.5", "35.5", "40.0"],
        (12.0,): ["12.0"],
    }
    for times, marks in cases.items():
        request = make_request("q", draw_frames(tmp_path, len(times)), media="video", times=list(times))
        item = preparer.plan(request)
        assert isinstance(item, Item)
        loaded = preparer.load(item)
        assert isinstance(loaded, Loaded)
        inputs, failures = engine.inputs([loaded])
        assert inputs is not None
        assert not failures
        text = processor.tokenizer.decode(inputs.tensors["input_ids"][0])
        assert [piece.split(" seconds>")[0] for piece in text.split("<") if " seconds>" in piece] == marks
        assert item.tokens == pytest.approx(inputs.lengths[0], abs=3 + len(marks))
    model.close()


def test_lengths_of_prompts_with_images_are_known_exactly_before_decoding(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    from egocross_eval.model_adapters.checkpoints.preparation import Item, Preparer
    from egocross_eval.model_adapters.checkpoints.processor import load_processor

    preparer = Preparer(load_processor(adapter(tiny_checkpoint)._checkpoint), None)
    requests = mixed_requests(tmp_path)
    planned = {request.key: preparer.plan(request) for request in requests}
    for key, response in answers(tiny_checkpoint, requests).items():
        item = planned[key]
        assert isinstance(item, Item)
        assert item.tokens == response.input_tokens


@pytest.mark.parametrize("media", ["images", "video"])
def test_the_pixel_budget_bounds_the_tokens_of_each_frame(tiny_checkpoint: Path, tmp_path: Path, media: Any) -> None:
    paths = draw_frames(tmp_path, 4, (640, 640))
    requests = [
        make_request(str(budget), paths, media=media, max_pixels=budget)
        for budget in (1024, 2048, 4096, 12288)  # the checkpoint's own bound is 4,096 pixels an image
    ]
    got = answers(tiny_checkpoint, requests)
    tokens = [got[request.key].input_tokens or 0 for request in requests]
    pictures = 4 if media == "images" else 2
    gained = [count - tokens[0] for count in tokens]
    assert gained[:3] == [0, 0, pictures * (4 - 1)]
    assert gained[3] == pictures * ((4 if media == "images" else 9) - 1)


def test_frames_that_cannot_be_read_are_failures_of_their_own_question(tiny_checkpoint: Path, tmp_path: Path) -> None:
    good, cut = draw_frames(tmp_path, 2, (300, 300))
    cut.write_bytes(cut.read_bytes()[:3000])
    requests = [
        make_request("good", [good]),
        make_request("cut", [good, cut]),
        make_request("gone", [good, tmp_path / "gone.jpg"]),
        make_request("clip", [good, cut], media="video"),
    ]
    got = answers(tiny_checkpoint, requests)
    scores_of(got["good"])
    for key, name in (("cut", cut.name), ("gone", "gone.jpg"), ("clip", cut.name)):
        failure = got[key].failure
        assert failure is not None
        assert failure.kind == "frame"
        assert name in failure.message


@pytest.mark.parametrize("media", ["images", "video"])
def test_prompts_beyond_the_context_fail_with_the_numbers(tmp_path: Path, media: Any) -> None:
    checkpoint = checkpoints.tiny_checkpoint(context=300)
    frames = draw_frames(tmp_path, 4)
    long = draw_frames(tmp_path, 90, seed=1)
    requests = [make_request(f"q{i}", long if i == 2 else frames, media=media) for i in range(5)]
    got = answers(checkpoint, requests)
    failure = got["q2"].failure
    assert failure is not None
    assert failure.kind == "context_length"
    assert "300" in failure.message
    assert str(got["q2"].input_tokens) in failure.message
    assert (got["q2"].input_tokens or 0) > 300
    assert all(scores_of(response) for key, response in got.items() if key != "q2")


def test_an_answer_ends_where_the_context_ends(tmp_path: Path) -> None:
    checkpoint = checkpoints.tiny_checkpoint(context=120)
    requests = [make_request(f"q{i}", draw_frames(tmp_path, 1 + i), mode="generate", max_new_tokens=99) for i in (0, 3)]
    for response in answers(checkpoint, requests).values():
        assert (response.input_tokens or 0) + (response.output_tokens or 0) <= 120
        assert response.finish_reason == "length"


def test_text_that_looks_like_a_placeholder_fails_alone(tiny_checkpoint: Path, tmp_path: Path) -> None:
    paths = draw_frames(tmp_path, 1)
    requests = [make_request(f"q{i}", paths) for i in range(5)]
    requests.append(make_request("odd", paths, text="What does <|image_pad|> mean?"))
    got = answers(tiny_checkpoint, requests)
    failure = got.pop("odd").failure
    assert failure is not None
    assert failure.kind == "prompt"
    assert all(scores_of(response) for response in got.values())


def test_the_end_token_ends_a_text_and_is_no_part_of_it(tiny_checkpoint: Path, tmp_path: Path) -> None:
    from egocross_eval.model_adapters.checkpoints.preparation import Preparer
    from egocross_eval.model_adapters.checkpoints.processor import load_processor
    from egocross_eval.model_adapters.hf.engine import Engine
    from egocross_eval.model_adapters.hf.loading import load_model
    from egocross_eval.model_adapters.hf.memory import Room
    from egocross_eval.model_adapters.hf.options import HfOptions

    checkpoint = adapter(tiny_checkpoint)._checkpoint
    processor = load_processor(checkpoint)
    writing = Engine(load_model(checkpoint, HfOptions(device="cpu")), Preparer(processor, None), Room(8192))._writing
    ids = [processor.tokenizer.convert_tokens_to_ids(token) for token in ("B", "<|im_end|>", "<|endoftext|>")]
    ended = writing.text_response("q", ids, 7)
    assert (ended.text, ended.finish_reason, ended.output_tokens, ended.input_tokens) == ("B", "stop", 2, 7)
    cut = writing.text_response("q", ids[:1], 7)
    assert (cut.text, cut.finish_reason, cut.output_tokens) == ("B", "length", 1)


def test_a_constrained_answer_is_the_best_scored_letter(vivid_checkpoint: Path, tmp_path: Path) -> None:
    scored = answers(vivid_checkpoint, mixed_requests(tmp_path))
    constrained = answers(vivid_checkpoint, mixed_requests(tmp_path, mode="constrained"))
    for key, response in constrained.items():
        scores = scores_of(scored[key])
        assert text_of(response) in OPTIONS
        # The scores count " B" as well as "B": the likeliest letter is among the best scored ones.
        assert scores[text_of(response)] > max(scores.values()) - 1
    drawn = {
        text_of(response)
        for seed in range(4)
        for response in answers(
            vivid_checkpoint, mixed_requests(tmp_path, mode="constrained", temperature=9.0, seed=seed)
        ).values()
    }
    assert drawn == set(OPTIONS)


def test_sampling_settings_of_the_checkpoint_do_not_count(vivid_checkpoint: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "wild"
    shutil.copytree(vivid_checkpoint, checkpoint)
    config = json.loads((checkpoint / "generation_config.json").read_text())
    config |= {"do_sample": True, "temperature": 0.01, "top_k": 1, "repetition_penalty": 1.9, "max_new_tokens": 2}
    (checkpoint / "generation_config.json").write_text(json.dumps(config))
    for temperature in (0.0, 2.0):
        requests = mixed_requests(tmp_path, mode="generate", temperature=temperature)
        plain, wild = answers(vivid_checkpoint, requests), answers(checkpoint, requests)
        assert {key: wild[key].text for key in wild} == {key: plain[key].text for key in plain}


def test_sampling_repeats_itself_by_seed_and_ignores_companions(vivid_checkpoint: Path, tmp_path: Path) -> None:
    def ask(seed: int, batch_size: Any) -> dict[str, str]:
        requests = mixed_requests(tmp_path, mode="generate", temperature=1.0, top_p=0.9, seed=seed)
        return {k: text_of(r) for k, r in answers(vivid_checkpoint, requests, batch_size=batch_size).items()}

    first = ask(1, "auto")
    assert ask(1, "auto") == first
    assert ask(1, 1) == first
    assert ask(2, "auto") != first


def test_sampling_follows_the_distribution(tiny_checkpoint: Path) -> None:
    import torch

    from egocross_eval.model_adapters.hf.sampling import gumbel_sampler

    chances = torch.tensor([0.5, 0.3, 0.15, 0.05])
    requests = [make_request(f"q{i}", [], mode="generate", temperature=0.5, top_p=0.9, seed=i) for i in range(2000)]
    sampler = gumbel_sampler(requests, torch.device("cpu"))
    drawn = sampler(None, chances.log().repeat(len(requests), 1)).argmax(dim=-1)
    # Temperature 0.5 squares the chances; top-p 0.9 then keeps the first two.
    squared = chances.square() / chances.square().sum()
    expected = squared[:2] / squared[:2].sum()
    counted = torch.bincount(drawn, minlength=4) / len(requests)
    assert counted[2:].sum() == 0
    assert counted[:2].tolist() == pytest.approx(expected.tolist(), abs=0.04)


def test_a_batch_that_does_not_fit_the_memory_is_halved_and_a_single_request_fails(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from egocross_eval.model_adapters.hf.engine import Engine

    sizes: list[int] = []
    whole = Engine._answer

    def scarce(self: Engine, inputs: Any) -> Any:
        sizes.append(len(inputs.batch))
        if len(inputs.batch) > 2 or "q7" in {one.item.request.key for one in inputs.batch}:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
        return whole(self, inputs)

    monkeypatch.setattr(Engine, "_answer", scarce)
    requests = mixed_requests(tmp_path)
    model = adapter(tiny_checkpoint)
    got = {response.key: response for response in model.generate(iter(requests))}
    assert sizes[0] == 9
    failure = got["q7"].failure
    assert failure is not None
    assert failure.kind == "out_of_memory"
    assert all(len(scores_of(got[key])) == 4 for key in got if key != "q7")
    assert model.details()["out_of_memory"] > 0
    model.close()


def test_a_template_that_opens_the_thinking_refuses_to_choose_but_generates(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "thinker"
    shutil.copytree(tiny_checkpoint, checkpoint)
    template = checkpoint / "chat_template.jinja"
    opened = template.read_text().replace("<|im_start|>assistant\\n'", "<|im_start|>assistant\\n<think>\\n'")
    template.write_text(opened)
    paths = draw_frames(tmp_path, 1)
    with pytest.raises(UsageError, match="opens a thinking block"):
        answers(checkpoint, [make_request("q", paths)])
    with pytest.warns(UserWarning, match="thinks before it answers"):
        text_of(answers(checkpoint, [make_request("q", paths, mode="generate")])["q"])
    told = {"template_kwargs": '{"enable_thinking":false}'}
    template.write_text(
        opened.replace("<think>\\n'", "<think>\\n' + ('\\n</think>\\n' if enable_thinking is false else '')")
    )
    scores_of(answers(checkpoint, [make_request("q", paths)], **told)["q"])
    plain, switched = adapter(checkpoint), adapter(checkpoint, **told)
    assert plain.fingerprint() != switched.fingerprint()
    assert switched.details()["template_kwargs"] == {"enable_thinking": False}


def test_a_checkpoint_without_chat_template_is_refused(tiny_checkpoint: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "mute"
    shutil.copytree(tiny_checkpoint, checkpoint)
    (checkpoint / "chat_template.jinja").unlink()
    with pytest.raises(UsageError, match="no chat template"):
        answers(checkpoint, [make_request("q", draw_frames(tmp_path, 1))])


def test_weights_that_cannot_be_loaded_are_a_clear_error(tiny_checkpoint: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "cut"
    shutil.copytree(tiny_checkpoint, checkpoint)
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    with pytest.raises(UsageError, match="its model can't be loaded"):
        answers(checkpoint, [make_request("q", draw_frames(tmp_path, 1))])


def test_a_device_that_is_not_there_is_refused(tiny_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="device=cuda:99 is not there"):
        answers(tiny_checkpoint, [make_request("q", draw_frames(tmp_path, 1))], device="cuda:99")
    with pytest.raises(UsageError, match="device=tpu is unknown"):
        answers(tiny_checkpoint, [make_request("q", draw_frames(tmp_path, 1))], device="tpu")


def test_precision_and_attention_can_be_chosen(vivid_checkpoint: Path, tmp_path: Path) -> None:
    requests = mixed_requests(tmp_path)
    exact = answers(vivid_checkpoint, requests)
    for key, response in answers(vivid_checkpoint, requests, attn="eager").items():
        assert scores_of(response) == pytest.approx(scores_of(exact[key]), abs=CLOSE)
    model = adapter(vivid_checkpoint, dtype="bfloat16")
    rounded = {response.key: response for response in model.generate(iter(requests))}
    assert model.details()["dtype"] == "bfloat16"
    assert any(scores_of(rounded[key]) != scores_of(exact[key]) for key in exact)
    model.close()


def test_the_number_of_threads_that_pytorch_uses_elsewhere_stays(tiny_checkpoint: Path, tmp_path: Path) -> None:
    import torch

    def count_in_a_new_thread() -> int:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(torch.get_num_threads).result()

    before = torch.get_num_threads(), count_in_a_new_thread()
    answers(tiny_checkpoint, mixed_requests(tmp_path))
    assert (torch.get_num_threads(), count_in_a_new_thread()) == before


def test_an_adapter_may_answer_several_times(tiny_checkpoint: Path, tmp_path: Path) -> None:
    model = adapter(tiny_checkpoint)
    request = make_request("q", draw_frames(tmp_path, 1))
    first = next(iter(model.generate(iter([request]))))
    second = next(iter(model.generate(iter([request]))))
    assert first.scores == second.scores
    model.close()


@pytest.mark.parametrize("mode", ["choose", "constrained", "generate"])
def test_log_probabilities_that_are_no_numbers_are_a_failure_of_the_question(
    tiny_checkpoint: Path, tmp_path: Path, mode: Any
) -> None:
    model = adapter(tiny_checkpoint, dtype="float32")
    engine = model._loading(model._prepared).result()
    engine.model.model.language_model.norm.weight.data.fill_(float("nan"))
    responses = list(model.generate(iter([make_request(f"q{i}", draw_frames(tmp_path, 1), mode=mode) for i in (0, 1)])))
    model.close()
    for response in responses:
        assert response.scores is None
        assert response.text is None
        assert response.failure is not None
        assert response.failure.kind == "not_finite"
        assert "NaN" in response.failure.message
        assert "float32" in response.failure.message


def test_equal_lengths_are_read_without_a_mask_and_others_with_one(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    masks: list[Any] = []
    attention = torch.nn.functional.scaled_dot_product_attention

    def noting(query: Any, key: Any, value: Any, *arguments: Any, **named: Any) -> Any:
        if named.get("is_causal") or named.get("attn_mask") is not None:
            masks.append(named.get("attn_mask"))
        return attention(query, key, value, *arguments, **named)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", noting)
    equal = [make_request(f"q{n}", draw_frames(tmp_path, 2, seed=n)) for n in range(3)]
    answers(tiny_checkpoint, equal)
    assert masks
    assert all(mask is None for mask in masks)
    masks.clear()
    answers(tiny_checkpoint, [*equal, make_request("longer", draw_frames(tmp_path, 3, seed=9))])
    assert any(mask is not None for mask in masks)


def test_no_length_of_a_prompt_waits_for_a_plan_of_cudnn(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    enabled: Any = torch.backends.cuda.cudnn_sdp_enabled
    asked: list[bool] = []
    attention = torch.nn.functional.scaled_dot_product_attention

    def noting(*arguments: Any, **named: Any) -> Any:
        asked.append(enabled())
        return attention(*arguments, **named)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", noting)
    before = enabled()
    answers(tiny_checkpoint, mixed_requests(tmp_path))
    assert asked
    assert not any(asked)
    assert enabled() == before
