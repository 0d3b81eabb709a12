"""The open format at its real size: 957 questions asked of a server with faults, judged by another with faults, both
killed twice and finished, with every count exact and nobody asked twice for what is on disk."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from fake_server import HTTP_500, RESET, TRUNCATED, Call, FakeServer, Fault, rate_limit
from judges import FENCE, REFERENCE, reply
from until import until
from whole_lines import whole_lines

from egocross_eval import load_run
from egocross_eval.grading.values import same_as_reference

pytestmark = pytest.mark.slow

FAULTS = (HTTP_500, rate_limit(0), RESET, TRUNCATED)


def faults(call: Call) -> Fault | None:
    """Every fifth request meets a fault first, and the next attempt is answered."""
    return FAULTS[call.number // 5 % len(FAULTS)] if call.number % 5 == 0 and call.attempt == 1 else None


def made_answers(data: Path, folder: Path) -> Path:
    """Answers to the real questions, made up: the real ones aren't here. The right option turns with the id."""
    questions = json.loads((data / "egocross_testbed_imgs.json").read_text())
    names = {entry["id"]: entry["question_id"] for entry in json.loads((data / "submission_template.json").read_text())}
    answers = []
    for entry in questions:
        place = entry["id"] % 4
        text = entry["options"][place].partition(": ")[2]
        answers.append(
            {
                "id": entry["id"],
                "question_id": names[entry["id"]],
                "correct_option_letter": "ABCD"[place],
                "answer_text": text,
                "detailed_answer": f"In the clip it is {text}.",
            }
        )
    path = folder / "answers.json"
    path.write_text(json.dumps(answers))
    return path


def start(arguments: list[str], cache: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "EGOCROSS_CACHE": str(cache)}
    command = [sys.executable, "-m", "egocross_eval", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def has_lines(samples: Path, count: int) -> bool:
    return len(whole_lines(samples)) >= count


def killed_then_finished(arguments: list[str], samples: Path, cache: Path, at: tuple[int, int]) -> None:
    """Killed where so many samples are on disk, twice; then left to come to its end."""
    for number in at:
        process = start(arguments, cache)
        until(partial(has_lines, samples, number), process)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
    assert start(arguments, cache).wait(timeout=300) in (0, 1)


def test_957_questions_are_asked_and_judged_through_faults_and_kills(
    shared_data: Path, tmp_path: Path, demo: Path
) -> None:
    answers = made_answers(shared_data, tmp_path)
    right = {entry["question_id"]: entry["answer_text"] for entry in json.loads(answers.read_text())}
    folder, cache = tmp_path / "run", tmp_path / "cache"

    def model(call: Call) -> str:
        question = re.findall(r"Question: (.*)", call.text)[0]
        return f"I think it's number {len(question) % 7}." if call.number % 3 else "a hook"

    def judge(call: Call) -> str:
        prediction, reference = FENCE.findall(call.text)[0][1], REFERENCE.findall(call.text)[0]
        if len(reference) % 11 == 3:
            return "Let me think about it."
        return reply(5 if same_as_reference(prediction, reference) or len(reference) % 5 == 0 else 1)

    with (
        FakeServer(answers=model, models=("m",), faults=faults, latency=0.01) as asked,
        FakeServer(answers=judge, models=("j",), faults=faults, latency=0.01) as judging_server,
    ):
        questions = str(shared_data / "egocross_testbed_imgs.json")
        places = ["--data", str(shared_data), "--questions", questions, "--answers", str(answers)]
        spec = f"openai:m,base_url={asked.base_url},concurrency=8,backoff=0.01"
        run = ["--model", spec, "--tasks", "open", "--frames", "none", *places, "--output", str(folder)]
        killed_then_finished(run, folder / "samples.jsonl", cache, (200, 500))
        made = load_run(folder)
        assert made.results.counts["unscored"] == 957
        told = asked.count
        judge_spec = f"openai:j,base_url={judging_server.base_url},concurrency=8,backoff=0.01,name=j"
        passes = ["judge", str(folder), "--judge", judge_spec]
        place = folder / "judges" / "j-mark4" / "samples.jsonl"
        killed_then_finished(passes, place, cache, (150, 400))
        assert asked.count == told, "the model was asked again"
        (judging,) = load_run(folder).judgings
        lines = place.read_bytes().splitlines()
        assert len(lines) == 957
        assert len({json.loads(line)["key"] for line in lines}) == 957
        counts = judging.results.counts
        expected: Counter[str] = Counter()
        for sample in made.samples:
            reference, said = right[sample.key], sample.decision.text or ""
            if same_as_reference(said, reference):
                expected["right"] += 1
            elif len(reference) % 11 == 3:
                expected["unscored"] += 1
            else:
                expected["right" if len(reference) % 5 == 0 else "wrong"] += 1
        assert {name: counts[name] for name in ("right", "wrong", "unscored")} == dict(expected)
        assert counts["errored"] == counts["missing"] == 0
        assert judging.results.judge is not None
        assert judging.results.judge.not_judged == expected["unscored"] > 0
        replies = [answer.response for sample in judging.samples for answer in sample.answers]
        answered = judging_server.count - judging_server.fault_counts.total()
        # Each kill may lose what was under way: eight connections, and answers of an instant.
        assert 0 <= answered - sum(not response.cached for response in replies) <= 2 * 16
        before = judging_server.count
        assert start(passes, cache).wait(timeout=120) == 1
        assert judging_server.count - before <= 1  # the look at the list of models is no request of chat
        assert place.read_bytes().splitlines() == lines
