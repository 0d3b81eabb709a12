"""Runs: every answer is kept the moment it exists, nothing is lost, nothing is made up."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from until import until
from whole_lines import whole_lines

from egocross_eval import (
    Answered,
    Capabilities,
    Ended,
    Event,
    Failure,
    ModelAdapter,
    Request,
    Response,
    RunError,
    RunKeywords,
    UsageError,
    evaluate,
    hookimpl,
    load_run,
)
from egocross_eval.contracts.registry import registry
from egocross_eval.leaderboard.derived import grade_again, known_targets
from egocross_eval.runs.store import RunFolder, SampleWriter


class Scripted(ModelAdapter):
    """Answers by a function of the request; counts what it was asked."""

    def __init__(self, answer: Callable[[Request], Response], *, fingerprint: str | None = None) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self._fingerprint = fingerprint

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            self.asked.append(request.key)
            yield self.answer(request)

    def fingerprint(self) -> str | None:
        return self._fingerprint


def says(text: str) -> Callable[[Request], Response]:
    return lambda request: Response(key=request.key, text=text, finish_reason="stop")


def fails(request: Request) -> Response:
    return Response(key=request.key, failure=Failure(kind="http_500", message="boom", retryable=True))


def test_a_number_that_no_file_can_hold_ends_the_run_with_its_place_and_what_was_written_can_be_read(
    demo: Path, tmp_path: Path
) -> None:
    asked: list[str] = []

    def timed(request: Request) -> Response:
        asked.append(request.key)
        return Response(key=request.key, text="A", seconds=math.inf if len(asked) > 3 else 1.0)

    with pytest.raises(RunError, match=r"the sample of .*: answers.0.response.seconds is inf, which no file of a run"):
        evaluate(Scripted(timed), data=demo, output=tmp_path / "run", cache=False)
    assert [sample.key for sample in RunFolder(tmp_path / "run").samples()] == asked[:3]


def test_a_run_keeps_every_question_with_what_was_sent_and_said(demo: Path, tmp_path: Path) -> None:
    run = evaluate(Scripted(says("The answer is B.")), data=demo, output=tmp_path / "run", cache=False)
    assert run.results.counts["total"] == len(run.samples) == run.record.question_count
    sample = run.samples[0]
    assert sample.answers[0].response.text == "The answer is B."
    assert sample.decision.label == "B"
    assert (
        sample.answers[0].sent.messages[-1][1].count("<image>")
        == len(sample.question.frames)
        == len(sample.answers[0].sent.frames)
    )
    assert all(frame.hash for frame in sample.answers[0].sent.frames)
    right = sum("B" in s.question.accepted() for s in run.samples)
    assert run.results.micro is not None
    assert (run.results.micro.right, run.results.micro.n) == (right, len(run.samples))
    assert run.results.complete


def test_the_adapter_never_sees_an_answer(demo: Path, tmp_path: Path) -> None:
    seen: list[bytes] = []

    def look(request: Request) -> Response:
        seen.append(msgspec.json.encode(request))
        return Response(key=request.key, text="A")

    run = evaluate(Scripted(look), data=demo, output=tmp_path / "run", limit=20, cache=False)
    for content, sample in zip(seen, run.samples, strict=True):
        assert sample.question.references["detailed_answer"] is not None
        assert sample.question.references["detailed_answer"].encode() not in content
        assert b'"target"' not in content
        assert b'"references"' not in content


def test_the_files_of_a_finished_run_are_all_there_and_agree(demo: Path, tmp_path: Path) -> None:
    run = evaluate("baseline:constant,letter=C", data=demo, output=tmp_path / "run")
    names = {path.name for path in run.path.iterdir()}
    assert {"run.json", "samples.jsonl", "results.json", "predictions.json", "leaderboard.md"} <= names
    predictions = json.loads((run.path / "predictions.json").read_text())
    assert [entry["answer"] for entry in predictions] == ["C"] * len(run.samples)
    assert run.results.samples_hash == RunFolder(run.path).samples_hash()
    assert load_run(run.path).record == run.record


class Loading(Scripted):
    """Knows its device once it has answered."""

    def details(self) -> dict[str, object]:
        return {"name": "x", **({"device": "cpu"} if self.asked else {})}


def test_what_is_known_of_a_model_once_it_is_loaded_is_kept(demo: Path, tmp_path: Path) -> None:
    evaluate(Loading(says("B")), data=demo, output=tmp_path / "run", limit=4, cache=False)
    assert load_run(tmp_path / "run").record.model.details == {"name": "x", "device": "cpu"}


def test_the_same_run_again_asks_nothing(demo: Path, tmp_path: Path) -> None:
    evaluate(Scripted(says("A")), data=demo, output=tmp_path / "run", cache=False)
    before = (tmp_path / "run" / "samples.jsonl").read_bytes()
    again = Scripted(says("B"))
    evaluate(again, data=demo, output=tmp_path / "run", cache=False)
    assert again.asked == []
    assert (tmp_path / "run" / "samples.jsonl").read_bytes() == before


def test_failed_questions_and_only_those_are_asked_again(demo: Path, tmp_path: Path) -> None:
    def half(request: Request) -> Response:
        return fails(request) if len(first.asked) % 2 else says("A")(request)

    first = Scripted(half)
    run = evaluate(first, data=demo, output=tmp_path / "run", cache=False)
    failed = {sample.key for sample in run.samples if sample.outcome == "errored"}
    assert failed
    assert not run.results.complete
    assert run.results.counts["errored"] == len(failed)
    second = Scripted(says("D"))
    run = evaluate(second, data=demo, output=tmp_path / "run", cache=False)
    assert set(second.asked) == failed
    assert run.results.complete
    assert {s.key for s in run.samples if s.answers[0].response.text == "D"} == failed


def test_a_filtered_answer_is_final_and_apart_from_failures(demo: Path, tmp_path: Path) -> None:
    def answer(request: Request) -> Response:
        kind = ("filtered", "timeout", "")[len(first.asked) % 3]
        return Response(key=request.key, failure=Failure(kind=kind, message="no")) if kind else says("A")(request)

    first = Scripted(answer)
    run = evaluate(first, data=demo, output=tmp_path / "run", cache=False)
    filtered = {sample.key for sample in run.samples if sample.outcome == "filtered"}
    assert len(filtered) == run.results.counts["filtered"] >= 2
    second = Scripted(says("A"))
    run = evaluate(second, data=demo, output=tmp_path / "run", cache=False)
    assert set(second.asked).isdisjoint(filtered)
    assert run.results.complete
    assert {sample.key for sample in run.samples if sample.outcome == "filtered"} == filtered
    assert grade_again(RunFolder(run.path), {}, registry()) == 0


def test_a_model_that_always_fails_has_no_score_rather_than_zero(demo: Path, tmp_path: Path) -> None:
    run = evaluate(Scripted(fails), data=demo, output=tmp_path / "run", cache=False)
    assert run.results.micro is None
    assert run.results.counts["errored"] == len(run.samples)
    assert all(s.answers[0].response.text is None for s in run.samples)


def test_a_folder_made_with_other_settings_is_refused_with_the_difference(demo: Path, tmp_path: Path) -> None:
    evaluate("baseline:chance", data=demo, output=tmp_path / "run")
    before = (tmp_path / "run" / "samples.jsonl").read_bytes()
    with pytest.raises(UsageError, match=r"style: 'letter' there, 'json' now"):
        evaluate("baseline:chance", data=demo, output=tmp_path / "run", style="json")
    with pytest.raises(UsageError, match="model"):
        evaluate("baseline:longest", data=demo, output=tmp_path / "run")
    assert (tmp_path / "run" / "samples.jsonl").read_bytes() == before


def test_a_folder_with_other_files_is_not_written_into(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        evaluate("baseline:chance", data=demo, output=tmp_path)


def test_what_was_not_asked_stays_in_every_n(demo: Path, tmp_path: Path) -> None:
    def breaks_half_way(request: Request) -> Response:
        if len(adapter.asked) > 50:
            raise ValueError("engine gone")
        return says("A")(request)

    adapter = Scripted(breaks_half_way)
    with pytest.raises(RunError):
        evaluate(adapter, data=demo, output=tmp_path / "run", cache=False)
    results = load_run(tmp_path / "run").results
    total = results.counts["total"]
    assert results.micro is not None
    assert results.micro.n == total
    assert results.micro.missing == results.counts["missing"] == total - 50
    assert sum(figure.n for figure in results.groups["dataset"].values()) <= total
    assert not results.complete


def test_an_adapter_that_exits_is_an_error_and_not_a_success(demo: Path, tmp_path: Path) -> None:
    def leave(request: Request) -> Response:
        raise SystemExit(0)

    with pytest.raises(RunError, match="failed"):
        evaluate(Scripted(leave), data=demo, output=tmp_path / "run", cache=False)


def test_a_folder_in_which_nothing_was_answered_can_be_started_anew(demo: Path, tmp_path: Path) -> None:
    def leave(request: Request) -> Response:
        raise ValueError("no engine")

    with pytest.raises(RunError):
        evaluate(Scripted(leave), data=demo, output=tmp_path / "run", cache=False)
    run = evaluate(Scripted(says("A")), data=demo, output=tmp_path / "run", style="json", cache=False)
    assert run.results.complete
    assert run.record.settings.prompt.style == "json"


def test_options_that_change_no_answer_may_change_when_a_run_goes_on(demo: Path, tmp_path: Path) -> None:
    from fake_server import FakeServer

    with FakeServer() as server:
        base = f"openai:fake,base_url={server.base_url}"
        evaluate(f"{base},concurrency=2", data=demo, output=tmp_path / "1", limit=5)
        asked = server.count
        run = evaluate(f"{base},concurrency=8,timeout=30", data=demo, output=tmp_path / "1", limit=5)
        assert run.results.complete
        run = evaluate(f"{base},concurrency=4", data=demo, output=tmp_path / "2", limit=5)
        assert all(sample.answers[0].response.cached for sample in run.samples)
        assert server.count == asked


def test_an_adapter_that_raises_ends_the_run_and_keeps_what_was_answered(demo: Path, tmp_path: Path) -> None:
    def third_breaks(request: Request) -> Response:
        if len(adapter.asked) == 3:
            raise ValueError("engine gone")
        return says("A")(request)

    adapter = Scripted(third_breaks)
    with pytest.raises(RunError, match="engine gone"):
        evaluate(adapter, data=demo, output=tmp_path / "run", cache=False)
    assert len(load_run(tmp_path / "run").samples) == 2
    assert load_run(tmp_path / "run").results.counts["missing"] > 0


class Forgetful(ModelAdapter):
    """Draws everything, answers only the first, and stops."""

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for number, request in enumerate(requests):
            if number == 0:
                yield Response(key=request.key, text="A")


class Lazy(ModelAdapter):
    """Answers one and draws no further."""

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        yield Response(key=next(requests).key, text="A")


@pytest.mark.parametrize("adapter", [Forgetful, Lazy])
def test_questions_that_an_adapter_leaves_out_are_failures(
    adapter: type[ModelAdapter], demo: Path, tmp_path: Path
) -> None:
    run = evaluate(adapter(), data=demo, output=tmp_path / "run", cache=False)
    assert run.results.counts["errored"] == len(run.samples) - 1
    kinds = {s.answers[0].response.failure.kind for s in run.samples if s.answers[0].response.failure}
    assert kinds == {"no_response"}


def test_an_answer_to_nothing_that_was_asked_is_an_error(demo: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="was not asked"):
        evaluate(
            Scripted(lambda request: Response(key="other", text="A")),
            data=demo,
            output=tmp_path / "run",
            cache=False,
        )


def test_a_response_with_nothing_in_it_is_a_failure(demo: Path, tmp_path: Path) -> None:
    run = evaluate(
        Scripted(lambda request: Response(key=request.key)), data=demo, output=tmp_path / "run", cache=False, limit=3
    )
    assert run.results.counts["errored"] == 3


def test_a_missing_frame_fails_its_question_and_no_other(demo: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(demo, root)
    questions = json.loads((root / "egocross_testbed" / "egocross_testbed_imgs.json").read_text())
    broken = root / questions[4]["video_path"][0].lstrip("/")
    broken.unlink()
    adapter = Scripted(says("A"))
    run = evaluate(adapter, data=root, output=tmp_path / "run", cache=False)
    (failed,) = [s for s in run.samples if s.answers[0].response.failure]
    assert failed.question.id == questions[4]["id"]
    assert failed.failure is not None
    assert broken.name in failed.failure.message
    assert failed.key not in adapter.asked


def test_the_cache_answers_equal_requests_of_an_equal_model_only(demo: Path, tmp_path: Path) -> None:
    first = Scripted(says("A"), fingerprint="weights-1")
    evaluate(first, data=demo, output=tmp_path / "1", limit=10)
    again = Scripted(says("B"), fingerprint="weights-1")
    run = evaluate(again, data=demo, output=tmp_path / "2", limit=10)
    assert again.asked == []
    assert all(s.answers[0].response.cached and s.answers[0].response.text == "A" for s in run.samples)
    for name, fingerprint, settings in (
        ("other weights", "weights-2", {}),
        ("other wording", "weights-1", {"style": "json"}),
        ("other frames", "weights-1", {"frames": "none"}),
        ("turned off", "weights-1", {"cache": False}),
        ("no fingerprint", None, {}),
    ):
        other = Scripted(says("B"), fingerprint=fingerprint)
        evaluate(other, data=demo, output=tmp_path / name, limit=10, **settings)
        assert len(other.asked) == 10, name


def test_failures_are_never_cached(demo: Path, tmp_path: Path) -> None:
    evaluate(Scripted(fails, fingerprint="f"), data=demo, output=tmp_path / "1", limit=5)
    again = Scripted(says("A"), fingerprint="f")
    evaluate(again, data=demo, output=tmp_path / "2", limit=5)
    assert len(again.asked) == 5


def test_a_torn_last_line_is_asked_again_and_the_lines_before_are_kept(demo: Path, tmp_path: Path) -> None:
    evaluate(Scripted(says("A")), data=demo, output=tmp_path / "run", limit=6, cache=False)
    path = tmp_path / "run" / "samples.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    assert len(load_run(tmp_path / "run").samples) == 5
    again = Scripted(says("A"))
    run = evaluate(again, data=demo, output=tmp_path / "run", limit=6, cache=False)
    assert len(again.asked) == 1
    assert len(run.samples) == 6


def test_a_damaged_line_is_named_and_left_out_and_its_question_is_asked_again(demo: Path, tmp_path: Path) -> None:
    evaluate(Scripted(says("A")), data=demo, output=tmp_path / "run", limit=4, cache=False)
    path = tmp_path / "run" / "samples.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b'{"key": 3}\n' + b"".join(lines[2:]))
    with pytest.warns(UserWarning, match=r"samples\.jsonl, line 2"):
        assert len(load_run(tmp_path / "run").samples) == 3
    again = Scripted(says("A"))
    with pytest.warns(UserWarning, match=r"samples\.jsonl, line 2"):
        run = evaluate(again, data=demo, output=tmp_path / "run", limit=4, cache=False)
    assert len(again.asked) == 1
    assert run.results.complete


def test_a_newer_format_is_refused(demo: Path, tmp_path: Path) -> None:
    evaluate("baseline:chance", data=demo, output=tmp_path / "run", limit=4)
    path = tmp_path / "run" / "run.json"
    record = json.loads(path.read_text())
    record["schema_version"] += 1
    path.write_text(json.dumps(record))
    with pytest.raises(UsageError, match="newer"):
        load_run(tmp_path / "run")


def test_a_second_process_on_the_same_folder_is_refused(demo: Path, tmp_path: Path) -> None:
    run = evaluate("baseline:chance", data=demo, output=tmp_path / "run", limit=4)
    with SampleWriter(RunFolder(run.path)):
        code = f"from egocross_eval.runs.store import *; SampleWriter(RunFolder({str(run.path)!r}))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "another process is at work" in done.stderr


SLOW_MODEL = """
import sys, time
from egocross_eval import evaluate
from egocross_eval.contracts.model import ModelAdapter
from egocross_eval.schema import Response

class Slow(ModelAdapter):
    def generate(self, requests):
        for request in requests:
            time.sleep(0.05)
            yield Response(key=request.key, text="A")

evaluate(Slow(), data=sys.argv[1], output=sys.argv[2], cache=False)
"""


def test_a_kill_at_any_moment_loses_no_answer_that_was_given(demo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-c", SLOW_MODEL, str(demo), str(folder)])
    until(lambda: len(whole_lines(folder / "samples.jsonl")) >= 5, process)
    process.kill()
    process.wait()
    kept = {sample.key for sample in load_run(folder).samples}
    assert len(kept) >= 5

    class Slow(Scripted):
        """The same model by name, as the folder was made with it."""

    rest = Slow(says("A"))
    run = evaluate(rest, data=demo, output=folder, cache=False)
    assert kept.isdisjoint(rest.asked)
    assert kept | set(rest.asked) == {sample.key for sample in run.samples}
    assert run.results.complete


def test_new_answers_and_rules_score_a_run_again_without_losing_a_line(demo: Path, tmp_path: Path) -> None:
    blind = tmp_path / "blind"
    shutil.copytree(demo, blind)
    (blind / "egocross_testbed" / "egocross_testbed_answers.json").unlink()
    run = evaluate("baseline:constant,letter=A", data=blind, output=tmp_path / "run")
    assert run.results.micro is None
    assert run.results.counts["unscored"] == len(run.samples)
    before = (run.path / "samples.jsonl").read_bytes()
    known = evaluate("baseline:chance", data=demo, output=tmp_path / "known")
    changed = grade_again(RunFolder(run.path), known_targets(s.question for s in known.samples), registry())
    assert changed == len(run.samples)
    assert (run.path / "samples.jsonl").read_bytes().startswith(before)
    assert {s.outcome for s in run.samples} == {"right", "wrong"}


def test_answers_that_appear_later_are_used_when_the_same_run_is_repeated(demo: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(demo, root)
    answers = root / "egocross_testbed" / "egocross_testbed_answers.json"
    answers.rename(tmp_path / "answers.json")
    run = evaluate("baseline:constant,letter=A", data=root, output=tmp_path / "run")
    assert run.results.micro is None
    (tmp_path / "answers.json").rename(answers)
    run = evaluate("baseline:constant,letter=A", data=root, output=tmp_path / "run")
    assert run.results.micro is not None


def test_identical_options_count_alike(demo: Path, tmp_path: Path) -> None:
    run = evaluate("baseline:constant,letter=A", data=demo, output=tmp_path / "run")
    twins = [s for s in run.samples if len(s.question.accepted()) > 1]
    assert twins
    for sample in twins:
        assert sample.outcome == ("right" if "A" in sample.question.accepted() else "wrong")


def test_a_limit_draws_over_all_domains_and_repeats_by_its_seed(demo: Path, tmp_path: Path) -> None:
    runs = [
        evaluate("baseline:chance", data=demo, output=tmp_path / str(i), limit=24, seed=seed)
        for i, seed in enumerate((0, 0, 1))
    ]
    keys = [[s.key for s in run.samples] for run in runs]
    assert keys[0] == keys[1] != keys[2]
    assert {s.question.label("domain") for s in runs[0].samples} == {"animal", "industry", "xsports", "surgery"}


@pytest.mark.parametrize(
    ("settings", "says_so"),
    [
        ({"answer": "choose"}, "log-probabilities"),
        ({"media": "video"}, "no video"),
    ],
)
def test_what_an_adapter_cannot_do_is_refused_before_anything_is_asked(
    settings: RunKeywords, says_so: str, demo: Path, tmp_path: Path
) -> None:
    adapter = Scripted(says("A"))
    keywords: RunKeywords = {**settings, "data": demo}
    with pytest.raises(UsageError, match=says_so):
        evaluate(adapter, output=tmp_path / "run", **keywords)
    assert adapter.asked == []
    assert not (tmp_path / "run").exists()


def test_too_many_frames_for_an_adapter_are_refused_and_never_dropped(demo: Path, tmp_path: Path) -> None:
    adapter = Scripted(says("A"))
    adapter.capabilities = lambda: Capabilities(max_images=4)  # type: ignore[method-assign]
    with pytest.raises(UsageError, match=r"at most 4 images.*uniform:4"):
        evaluate(adapter, data=demo, output=tmp_path / "run")
    run = evaluate(adapter, data=demo, output=tmp_path / "run", frames="uniform:4", limit=10, cache=False)
    assert max(len(s.answers[0].sent.frames) for s in run.samples) == 4


def test_choose_mode_takes_the_best_letter_and_abstains_on_a_tie(demo: Path, tmp_path: Path) -> None:
    def scores(request: Request) -> Response:
        tied = len(adapter.asked) % 2 == 0
        values = {letter: -1.0 if tied else -float(i + 1) for i, letter in enumerate(reversed(request.options))}
        return Response(key=request.key, scores=values)

    adapter = Scripted(scores)
    adapter.capabilities = lambda: Capabilities(scores=True)  # type: ignore[method-assign]
    run = evaluate(adapter, data=demo, output=tmp_path / "run", answer="choose", limit=10, cache=False)
    letters = [s.decision.label for s in run.samples]
    assert sorted(letters, key=str) == ["D"] * 5 + [None] * 5
    assert run.results.counts["not_parsed"] == 5


def test_an_observer_that_raises_is_warned_of_once_and_the_run_goes_on(demo: Path, tmp_path: Path) -> None:
    calls: list[str] = []

    class Fine:
        @hookimpl
        def egocross_event(self, event: Event) -> None:
            calls.append(f"fine {type(event).__name__}")

    class Shaky:
        @hookimpl
        def egocross_event(self, event: Event) -> None:
            if isinstance(event, Answered):
                calls.append("shaky")
                raise RuntimeError("observer broke")

    manager = registry()._manager
    shaky, fine = Shaky(), Fine()
    manager.register(fine)
    manager.register(shaky, name="shaky")
    try:
        with pytest.warns(UserWarning, match="'shaky' failed.*observer broke"):
            run = evaluate("baseline:chance", data=demo, output=tmp_path / "run", limit=5)
    finally:
        manager.unregister(shaky)
        manager.unregister(fine)
    assert calls.count("shaky") == 1
    assert calls.count("fine Answered") == 5
    assert calls[-1] == "fine Ended"
    assert run.results.complete


def test_what_happens_is_told_in_order(demo: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    run = evaluate("baseline:chance", data=demo, output=tmp_path / "run", limit=3, on_event=events.append)
    names = [type(event).__name__ for event in events if type(event).__name__ != "Warned"]
    assert names == ["Started", "Answered", "Answered", "Answered", "Stopped", "Ended"]
    assert isinstance(events[-1], Ended)
    assert events[-1].results == run.results


@pytest.mark.parametrize(
    ("keywords", "says_so"),
    [
        ({"media": "vidoe"}, "did you mean 'video'"),
        ({"framess": "all"}, "did you mean 'frames'"),
        ({"max_pixels": 0}, "a whole number from 1"),
        ({"temperature": "warm"}, "must be a number"),
        ({"timestamps": "yes"}, "true or false"),
        ({"split": "tesbed"}, "did you mean 'testbed'"),
    ],
)
def test_impossible_keywords_are_refused_before_anything_is_written(
    keywords: dict[str, object], says_so: str, demo: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=says_so):
        evaluate("baseline:chance", data=demo, output=tmp_path / "run", **keywords)  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_an_adapter_of_the_caller_stays_open(demo: Path, tmp_path: Path) -> None:
    class Closing(Scripted):
        closed = False

        def close(self) -> None:
            self.closed = True

    adapter = Closing(says("A"))
    evaluate(adapter, data=demo, output=tmp_path / "run", limit=2, cache=False)
    assert not adapter.closed


def test_scores_that_are_no_numbers_are_a_failure_and_never_reach_the_disk(demo: Path, tmp_path: Path) -> None:
    def nan(request: Request) -> Response:
        return Response(key=request.key, scores=dict.fromkeys(request.choices, float("nan")))

    adapter = Scripted(nan)
    adapter.capabilities = lambda: Capabilities(scores=True)  # type: ignore[method-assign]
    run = evaluate(adapter, data=demo, output=tmp_path / "run", answer="choose", limit=2, cache=False)
    assert run.results.counts["errored"] == 2
    assert {s.failure.kind for s in run.samples if s.failure} == {"bad_scores"}
    assert b"NaN" in (tmp_path / "run" / "samples.jsonl").read_bytes()
    assert all(s.answers[0].response.scores is None for s in load_run(tmp_path / "run").samples)


@pytest.mark.parametrize("missing", ["results.json", "leaderboard.md", "predictions.json"])
def test_a_kill_while_derived_files_are_written_is_put_right(missing: str, demo: Path, tmp_path: Path) -> None:
    run = evaluate("baseline:chance", data=demo, output=tmp_path / "run", limit=3)
    (run.path / missing).unlink()
    evaluate("baseline:chance", data=demo, output=tmp_path / "run", limit=3)
    assert (run.path / missing).is_file()


def test_a_folder_that_was_left_while_it_was_made_can_be_used(demo: Path, tmp_path: Path) -> None:
    run = evaluate("baseline:chance", data=demo, output=tmp_path / "run", limit=3)
    for path in run.path.iterdir():
        if path.name != "questions.jsonl":
            path.unlink()
    assert evaluate("baseline:chance", data=demo, output=tmp_path / "run", limit=3).results.complete
