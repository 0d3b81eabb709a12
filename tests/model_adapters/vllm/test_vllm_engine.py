"""`vllm:` and `vllm-server:` on a real vLLM, against `hf:`: the same prompts, the same letters, the same failures."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from living import living
from until import until
from vllm_parts import CONTEXT, CORRUPT, EAGER, FAILING, MEDIA, RANK, TOO_LONG, KeptOpen
from whole_lines import json_lines, whole_lines

from egocross_eval import Capabilities, ModelAdapter, Request, Run, RunError, Sample, UsageError, evaluate
from egocross_eval.contracts.registry import registry
from egocross_eval.model_adapters.openai.pieces import JsonBody
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.model_adapters.vllm.adapted_classes import Adapted, ask_vllm
from egocross_eval.model_adapters.vllm.server.batch_size import tokens_a_step
from egocross_eval.nvidia import Gpu
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import plan_run
from egocross_eval.runs.requests import build_request

pytestmark = [pytest.mark.slow, pytest.mark.vllm]

NEAR_TIE = 0.02
"""Difference of log-probabilities that engines with other kernels may turn around."""

AGREEMENT = 0.99


def run(adapter: KeptOpen, root: Path, output: Path, **settings: Any) -> Run:
    return evaluate(adapter, data=root, output=output, cache=False, **{"max_pixels": 4096, **settings})


def by_id(answered: Run) -> dict[int, Sample]:
    return {sample.question.id: sample for sample in answered.samples}


def scores(answered: Run) -> dict[int, dict[str, float]]:
    return {
        number: s.answers[0].response.scores
        for number, s in by_id(answered).items()
        if s.answers[0].response.scores is not None
    }


def best(letters: dict[str, float]) -> str:
    return max(letters, key=lambda letter: letters[letter])


def assert_same_letters(ours: dict[int, dict[str, float]], theirs: dict[int, dict[str, float]]) -> None:
    """At least 99 % alike; where letters differ, the two log-probabilities are a near tie."""
    assert ours.keys() == theirs.keys()
    differing = {number for number in ours if best(ours[number]) != best(theirs[number])}
    for number in differing:
        one, other = (abs(s[best(ours[number])] - s[best(theirs[number])]) for s in (ours[number], theirs[number]))
        assert max(one, other) < NEAR_TIE, f"question {number}: {ours[number]} and {theirs[number]}"
    assert len(differing) <= (1 - AGREEMENT) * len(ours), f"{len(differing)} of {len(ours)} differ: {differing}"


def assert_failed_as_expected(answered: Run) -> None:
    samples = by_id(answered)
    failed = {
        number: s.answers[0].response.failure
        for number, s in samples.items()
        if s.answers[0].response.failure is not None
    }
    assert failed.keys() == {CORRUPT, TOO_LONG}, failed
    assert failed[CORRUPT] is not None
    assert failed[CORRUPT].kind == "frame"
    assert failed[TOO_LONG] is not None
    assert failed[TOO_LONG].kind == "context_length"
    numbers = {
        int(word) for word in failed[TOO_LONG].message.replace(",", " ").replace(";", " ").split() if word.isdigit()
    }
    assert CONTEXT in numbers
    assert any(number > CONTEXT for number in numbers)


@pytest.fixture(scope="module")
def by_hf(vivid_checkpoint: Path, spoiled_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo questions by `hf:` in choose mode; the long question fits its context, which is the checkpoint's own."""
    output = tmp_path_factory.mktemp("runs") / "hf"
    model = f"hf:{vivid_checkpoint}"
    return evaluate(model, data=spoiled_demo, output=output, answer="choose", max_pixels=4096, cache=False)


@pytest.fixture(scope="module")
def by_vllm(engine: KeptOpen, spoiled_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(engine, spoiled_demo, tmp_path_factory.mktemp("runs") / "vllm", answer="choose")


@pytest.fixture(scope="module")
def prompt_cache(vivid_checkpoint: Path) -> Iterator[ModelAdapter]:
    """An engine that keeps prompts in the smallest blocks that a CPU takes."""
    adapter = build_adapter(parse_spec(f"vllm:{vivid_checkpoint},{EAGER},block_size=32"), registry())
    yield adapter
    adapter.close()


def requests(root: Path, **settings: Any) -> list[Request]:
    plan = plan_run(options_from(data=root, answer="choose", **{"max_pixels": 4096, **settings}), registry())
    return [
        build_request(
            question,
            plan.approach(question).renderer.render(question, plan.root),
            plan.settings.generation,
            split="testbed",
            data_root=str(root),
            read_frames=True,
        )
        for question in plan.questions
        if question.id not in (CORRUPT, TOO_LONG)
    ]


def hf_token_ids(checkpoint: Path, asked: list[Request]) -> list[list[int]]:
    adapter: Any = build_adapter(parse_spec(f"hf:{checkpoint}"), registry())
    preparer = adapter._prepared
    engine = adapter._loading(preparer).result()
    found = []
    for request in asked:
        inputs, failures = engine.inputs([preparer.load(preparer.plan(request))])
        assert not failures
        found.append(inputs.tensors["input_ids"][0].tolist())
    adapter.close()
    return found


def rendered_by(engine: KeptOpen, asked: list[Request]) -> list[Any]:
    from egocross_eval.model_adapters.vllm.engine.prompts import engine_prompt

    adapter: Any = engine.inner
    started = adapter._started(asked[0])
    preparer = adapter._preparer(started)

    async def render(request: Request) -> Any:
        loaded = preparer.load(preparer.plan(request))
        return await started.render(engine_prompt(loaded, preparer), add_special_tokens=True)

    async def all_of_them() -> list[Any]:
        return list(await asyncio.gather(*(render(request) for request in asked)))

    return list(started.loop.submit(all_of_them()).result())


def engine_token_ids(engine: KeptOpen, asked: list[Request]) -> list[list[int]]:
    return [list(rendered["prompt_token_ids"]) for rendered in rendered_by(engine, asked)]


def server_token_ids(served: KeptOpen, asked: list[Request]) -> list[list[int]]:
    adapter: Any = served.inner
    client, server, _ = adapter._started(asked[0])
    found = []
    for request in client._vllm.prepared(iter(asked)):
        pieces = [*client._bodies.beginning(request, client.model_name()), client._bodies.end(request)]
        body = json.loads(JsonBody(pieces, lambda: None).decode())
        body["return_token_ids"] = True
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {server.key}"}
        post = urllib.request.Request(f"{server.url}/v1/chat/completions", content, headers)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(post) as reply:
                found.append(json.load(reply)["prompt_token_ids"])
        except urllib.error.HTTPError as error:
            pytest.fail(f"{error}: {error.read().decode()}")
    return found


def test_every_question_is_answered_but_those_that_cannot_be(by_vllm: Run) -> None:
    assert_failed_as_expected(by_vllm)
    assert by_vllm.results.counts["total"] == len(by_vllm.samples) == 100
    assert by_vllm.results.counts["errored"] == FAILING


def test_vllm_gives_the_letters_of_transformers(by_vllm: Run, by_hf: Run) -> None:
    theirs = scores(by_hf)
    theirs.pop(TOO_LONG, None)
    ours = scores(by_vllm)
    assert len({best(letters) for letters in ours.values()}) > 1, (
        "a checkpoint that always says the same proves nothing"
    )
    assert_same_letters(ours, theirs)
    assert max(abs(ours[n][letter] - theirs[n][letter]) for n in ours for letter in ours[n]) < NEAR_TIE


def test_prompt_token_ids_are_those_of_transformers(
    engine: KeptOpen, served: KeptOpen, vivid_checkpoint: Path, spoiled_demo: Path
) -> None:
    asked = requests(spoiled_demo, limit=30)
    ids = hf_token_ids(vivid_checkpoint, asked)
    assert engine_token_ids(engine, asked) == ids
    assert server_token_ids(served, asked) == ids


def test_an_engine_that_keeps_frames_as_bytes_is_known(engine: KeptOpen, spoiled_demo: Path) -> None:
    # In a size of its own: of frames that the engine has, nothing is handed over.
    (first,) = requests(spoiled_demo, limit=1, max_pixels=1024)
    adapter: Any = engine.inner
    running = adapter._started(first)
    (rendered,) = rendered_by(engine, [first])
    pixels = rendered["mm_kwargs"]["image"][0]["pixel_values"].data
    assert running.keeps_bytes == (not pixels.is_floating_point())


def test_prompts_with_time_marks_have_the_token_ids_of_transformers(
    engine: KeptOpen, served: KeptOpen, vivid_checkpoint: Path, spoiled_demo: Path
) -> None:
    asked = requests(spoiled_demo, limit=6, timestamps=True, style="json")
    ids = hf_token_ids(vivid_checkpoint, asked)
    assert engine_token_ids(engine, asked) == ids
    assert server_token_ids(served, asked) == ids


def test_native_videos_have_the_token_ids_and_letters_of_transformers(
    engine: KeptOpen, vivid_checkpoint: Path, spoiled_demo: Path, tmp_path: Path
) -> None:
    asked = requests(spoiled_demo, limit=12, media="video")
    ids = hf_token_ids(vivid_checkpoint, asked)
    assert engine_token_ids(engine, asked) == ids
    settings: dict[str, Any] = {"answer": "choose", "limit": 30, "max_pixels": 4096, "media": "video"}
    hf = evaluate(f"hf:{vivid_checkpoint}", data=spoiled_demo, output=tmp_path / "hf", cache=False, **settings)
    ours = scores(run(engine, spoiled_demo, tmp_path / "vllm", **settings))
    assert_same_letters(ours, {number: letters for number, letters in scores(hf).items() if number in ours})


def test_a_server_is_sent_native_videos_with_their_times(
    served: KeptOpen, vivid_checkpoint: Path, spoiled_demo: Path
) -> None:
    pad = json.loads((vivid_checkpoint / "config.json").read_text(encoding="utf-8"))["video_token_id"]

    def words(ids: list[list[int]]) -> list[list[int]]:
        """Without the frames: those are scaled twice, here and by the server, which may round to another size."""
        return [[token for token in row if token != pad] for row in ids]

    asked = requests(spoiled_demo, limit=6, media="video")
    ids = server_token_ids(served, asked)
    assert words(ids) == words(hf_token_ids(vivid_checkpoint, asked))
    assert all(pad in row for row in ids)


def test_generated_text_is_that_of_transformers(
    engine: KeptOpen, vivid_checkpoint: Path, spoiled_demo: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"max_new_tokens": 4, "limit": 30, "max_pixels": 4096}
    hf = evaluate(f"hf:{vivid_checkpoint}", data=spoiled_demo, output=tmp_path / "hf", cache=False, **settings)
    ours = run(engine, spoiled_demo, tmp_path / "vllm", **settings)
    pairs = [
        (sample.answers[0].response.text, by_id(hf)[number].answers[0].response.text)
        for number, sample in by_id(ours).items()
        if sample.answers[0].response.failure is None
    ]
    assert len({text for text, _ in pairs}) > 1
    # Greedy decoding goes another way for good once a near tie turns.
    assert sum(one == other for one, other in pairs) >= 0.9 * len(pairs)


def test_constrained_answers_are_letters_and_nothing_else(engine: KeptOpen, spoiled_demo: Path, tmp_path: Path) -> None:
    answered = run(engine, spoiled_demo, tmp_path / "run", answer="constrained", limit=30)
    texts = {
        sample.answers[0].response.text for sample in answered.samples if sample.answers[0].response.failure is None
    }
    assert texts <= set("ABCD")
    assert len(texts) > 1


def test_sampling_repeats_itself_with_the_seed(engine: KeptOpen, spoiled_demo: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"temperature": 1.0, "max_new_tokens": 8, "limit": 10}

    def texts(name: str, seed: int) -> list[str | None]:
        answered = run(engine, spoiled_demo, tmp_path / name, seed=seed, **settings)
        return [sample.answers[0].response.text for sample in answered.samples]

    assert texts("one", 0) == texts("two", 0)
    again = run(engine, spoiled_demo, tmp_path / "other", seed=1, **{**settings, "limit": None}).samples
    first = run(engine, spoiled_demo, tmp_path / "all", seed=0, **{**settings, "limit": None}).samples
    assert [sample.answers[0].response.text for sample in again] != [
        sample.answers[0].response.text for sample in first
    ]


def test_a_run_that_ended_early_is_resumed(engine: KeptOpen, spoiled_demo: Path, tmp_path: Path) -> None:
    class EndsEarly(ModelAdapter):
        def capabilities(self) -> Capabilities:
            return engine.capabilities()

        def generate(self, asked: Iterator[Request]) -> Iterator[Any]:
            responses = engine.generate(asked)
            for _ in range(7):
                yield next(responses)
            responses.close()  # type: ignore[attr-defined]
            raise KeyboardInterrupt

        def fingerprint(self) -> str | None:
            return engine.fingerprint()

    # Both adapters count as the same model by their fingerprint; `evaluate` names them by their class.
    EndsEarly.__name__ = "KeptOpen"
    with pytest.raises(KeyboardInterrupt):
        run(EndsEarly(), spoiled_demo, tmp_path / "run", answer="choose", limit=40)  # type: ignore[arg-type]
    lines = (tmp_path / "run" / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 7
    answered = run(engine, spoiled_demo, tmp_path / "run", answer="choose", limit=40)
    assert len(answered.samples) == 40
    again = (tmp_path / "run" / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    assert again[:7] == lines


def test_an_unknown_or_wrong_engine_option_is_refused_before_the_start(vivid_checkpoint: Path) -> None:
    with pytest.raises(UsageError, match=r"max_model_length.*did you mean.*max_model_len"):
        build_adapter(parse_spec(f"vllm:{vivid_checkpoint},max_model_length=3"), registry())
    with pytest.raises(UsageError, match=r"tensor-parallel-size.*many"):
        build_adapter(parse_spec(f"vllm:{vivid_checkpoint},tensor_parallel_size=many"), registry())


def test_the_server_fails_and_answers_as_the_engine_does(
    by_hf: Run, served: KeptOpen, spoiled_demo: Path, tmp_path: Path
) -> None:
    answered = run(served, spoiled_demo, tmp_path / "run", answer="choose")
    assert_failed_as_expected(answered)
    by_hfs_count = {name: by_hf.record.model.details[name] for name in ("frame_pixels", "frame_tokens")}
    assert {name: served.inner.details().get(name) for name in by_hfs_count} == by_hfs_count
    texts = run(served, spoiled_demo, tmp_path / "constrained", answer="constrained", limit=20)
    assert {s.answers[0].response.text for s in texts.samples if s.answers[0].response.failure is None} <= set("ABCD")


def test_a_server_of_two_front_ends_gives_the_same_letters(
    by_vllm: Run, vivid_checkpoint: Path, spoiled_demo: Path, tmp_path: Path
) -> None:
    adapter = build_adapter(parse_spec(f"vllm-server:{vivid_checkpoint},{EAGER},api_server_count=2"), registry())
    try:
        ours = scores(run(KeptOpen(adapter), spoiled_demo, tmp_path / "run", answer="choose"))
    finally:
        adapter.close()
    assert_same_letters(ours, scores(by_vllm))


def test_a_lora_adapter_beside_its_base(
    engine: KeptOpen,
    served: KeptOpen,
    by_vllm: Run,
    vivid_checkpoint: Path,
    lora_folder: Path,
    spoiled_demo: Path,
    tmp_path: Path,
) -> None:
    options = f"{EAGER},{MEDIA},enable_lora=true,max_lora_rank={RANK},lora={lora_folder}"
    adapted: Any = build_adapter(parse_spec(f"vllm:{vivid_checkpoint},{options}"), registry())
    base: Any = engine.inner
    adapted.adopt(base)
    try:
        ours = scores(run(KeptOpen(adapted), spoiled_demo, tmp_path / "vllm", answer="choose"))
    finally:
        base.adopt(adapted)
    merged = f"hf:{vivid_checkpoint},lora={lora_folder}"
    settings: dict[str, Any] = {"answer": "choose", "max_pixels": 4096, "cache": False}
    theirs = scores(evaluate(merged, data=spoiled_demo, output=tmp_path / "hf", **settings))
    theirs.pop(TOO_LONG, None)
    assert_same_letters(ours, theirs)
    by_server = scores(run(served, spoiled_demo, tmp_path / "served", answer="choose"))
    assert_same_letters(by_server, ours)
    plain = scores(by_vllm)
    assert sum(best(ours[n]) != best(plain[n]) for n in ours) > 0.1 * len(ours), "the adapter must change answers"


def test_adapters_of_vision_tower_and_words_count_whole_one_after_the_other(
    vivid_checkpoint: Path, wide_loras: list[Path], spoiled_demo: Path, tmp_path: Path
) -> None:
    """On one engine, which keeps nothing of the first for the second, though their folders are called alike."""
    settings: dict[str, Any] = {"answer": "choose", "limit": 40}
    first, second = (
        build_adapter(parse_spec(f"vllm:{vivid_checkpoint},{EAGER},lora={lora}"), registry()) for lora in wide_loras
    )
    try:
        ours = [scores(run(KeptOpen(first), spoiled_demo, tmp_path / "first", **settings))]
        second.adopt(first)
        ours.append(scores(run(KeptOpen(second), spoiled_demo, tmp_path / "second", **settings)))
    finally:
        first.close()
        second.close()
    for number, lora in enumerate(wide_loras):
        merged, output = f"hf:{vivid_checkpoint},lora={lora}", tmp_path / f"hf{number}"
        hf = scores(evaluate(merged, data=spoiled_demo, output=output, cache=False, max_pixels=4096, **settings))
        assert_same_letters(ours[number], {place: letters for place, letters in hf.items() if place in ours[number]})
    assert sum(best(ours[0][n]) != best(ours[1][n]) for n in ours[0]) > 0.1 * len(ours[0])


def test_what_vllm_adapts_of_a_model_is_told_by_a_process_of_its_own() -> None:
    both = Adapted(name="Qwen3VLForConditionalGeneration", text=True, tower=True)
    assert ask_vllm(["NoSuchModel", "Qwen3VLForConditionalGeneration"]) == both
    text = ask_vllm(["LlavaOnevisionForConditionalGeneration"])
    assert text is not None
    assert not text.tower
    assert ask_vllm(["NoSuchModel"]) is None


@pytest.mark.parametrize(
    ("name", "memory"),
    [("NVIDIA H100 80GB HBM3", 79.6), ("NVIDIA A100-SXM4-80GB", 80.0), ("NVIDIA RTX 4090", 24.0), ("GH200", 96.0)],
)
def test_a_servers_steps_are_those_of_vllms_engine_for_offline_use(
    monkeypatch: pytest.MonkeyPatch, name: str, memory: float
) -> None:
    from vllm.engine import arg_utils
    from vllm.usage.usage_lib import UsageContext

    card: dict[str, Callable[..., Any]] = {
        "get_device_total_memory": lambda: int(memory * 2**30),
        "get_device_name": lambda: name,
        "is_device_capability": lambda capability: False,
        "is_tpu": lambda: False,
        "is_cpu": lambda: False,
    }
    monkeypatch.setattr(arg_utils, "current_platform", SimpleNamespace(**card))
    offline = arg_utils.EngineArgs.get_batch_defaults(1)[0][UsageContext.LLM_CLASS]
    assert tokens_a_step([Gpu(name=name, memory=memory, used=0.0, driver="580")]) == offline


SEVERAL_ASKS: dict[str, dict[str, Any]] = {
    "sample": {"answer": "generate", "method": "sample:4", "temperature": 0.7, "max_new_tokens": 4},
    "rotate": {"answer": "choose", "method": "rotate"},
}


@pytest.mark.parametrize("asked", SEVERAL_ASKS.values(), ids=SEVERAL_ASKS)
def test_a_questions_further_asks_find_its_beginning_computed(
    prompt_cache: ModelAdapter, spoiled_demo: Path, tmp_path: Path, asked: dict[str, Any]
) -> None:
    assert_beginnings_found(prompt_cache, spoiled_demo, tmp_path / "run", asked)


def test_further_asks_go_to_the_replica_that_has_their_beginning(
    vivid_checkpoint: Path, spoiled_demo: Path, tmp_path: Path
) -> None:
    spec = f"vllm:{vivid_checkpoint},{EAGER},block_size=32,data_parallel_size=2"
    adapter = build_adapter(parse_spec(spec), registry())
    try:
        for name, asked in SEVERAL_ASKS.items():
            assert_beginnings_found(adapter, spoiled_demo, tmp_path / name, asked)
        assert adapter.details()["data_parallel_size"] == 2
    finally:
        adapter.close()


def assert_beginnings_found(adapter: ModelAdapter, root: Path, output: Path, asked: dict[str, Any]) -> None:
    """Of a question's further asks, no more was computed than the last block and what is their own."""

    def tokens() -> tuple[int, int]:
        details = adapter.details()
        return details.get("prompt_tokens", 0), details.get("reused_prompt_tokens", 0)

    before = tokens()
    answered = run(KeptOpen(adapter), root, output, ids="10,20,30,40,50,60,70,80", **asked)
    assert answered.results.complete
    assert all(len(sample.answers) > 2 for sample in answered.samples)
    least = 0
    for sample in answered.samples:
        # Whole blocks of 32 tokens are found; rotations have their options, some 60 tokens, to themselves.
        lengths = [answer.response.input_tokens or 0 for answer in sample.answers]
        own = 60 if asked["method"] == "rotate" else 1
        least += sum((length - own) // 32 * 32 for length in lengths[1:])
    prompts, reused = (now - then for now, then in zip(tokens(), before, strict=True))
    assert prompts == sum(answer.response.input_tokens or 0 for s in answered.samples for answer in s.answers)
    assert reused >= 0.95 * least


def test_numbers_that_overflow_are_failures_in_the_modes_that_compare(
    vivid_checkpoint: Path, spoiled_demo: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    spoiled = tmp_path / "overflowing"
    shutil.copytree(vivid_checkpoint, spoiled)
    tensors = load_file(spoiled / "model.safetensors")
    [norm] = [name for name in tensors if name.endswith("language_model.norm.weight")]
    # Finite, so that the checkpoint isn't refused; their products aren't.
    tensors[norm].fill_(1e30)
    for name in tensors:
        if name.endswith(("embed_tokens.weight", "lm_head.weight")):
            tensors[name].mul_(1e10)
    save_file(tensors, spoiled / "model.safetensors", metadata={"format": "pt"})
    adapter = build_adapter(parse_spec(f"vllm:{spoiled},{EAGER}"), registry())
    try:
        for mode in ("choose", "constrained"):
            answered = run(KeptOpen(adapter), spoiled_demo, tmp_path / mode, answer=mode, ids="10,11,12")
            kinds = {sample.failure.kind for sample in answered.samples if sample.failure is not None}
            assert (len(answered.samples), kinds) == (3, {"not_finite"}), mode
    finally:
        adapter.close()


def test_an_engine_that_lacks_memory_says_what_leaves_room(
    vivid_checkpoint: Path, spoiled_demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "100000")  # GiB
    adapter = build_adapter(parse_spec(f"vllm:{vivid_checkpoint},{EAGER}"), registry())
    with pytest.raises(RunError, match=r"didn't start.*gpu_memory_utilization=0\.8.*max_model_len="):
        run(KeptOpen(adapter), spoiled_demo, tmp_path / "run", answer="choose", limit=1)
    adapter.close()


def test_a_killed_run_leaves_no_engine_and_goes_on(vivid_checkpoint: Path, spoiled_demo: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    words = ["--data", str(spoiled_demo), "--answer", "choose", "--max-pixels", "4096", "--output", str(output)]
    model = f"vllm:{vivid_checkpoint},{EAGER},concurrency=1"
    command = [sys.executable, "-m", "egocross_eval", "--model", model, *words]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    samples = output / "samples.jsonl"
    until(lambda: len(whole_lines(samples)) >= 5, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(whole_lines(samples)) < 100
    until(lambda: process.pid not in {one.group for one in living().values()})
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr  # two questions can't be answered
    assert f"resuming {output}" in done.stderr
    assert len({line["key"] for line in json_lines(samples)}) == 100
