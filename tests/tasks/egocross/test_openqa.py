"""The open tasks ask the same questions without their options, and show them only where that is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calling import call
from fake_server import FakeServer

from egocross_eval import DataSource, Question, RunOptions, UsageError, evaluate
from egocross_eval.contracts.registry import registry
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import plan_run
from egocross_eval.tasks.select import load_questions, select_tasks


def questions(names: str, source: DataSource) -> tuple[Question, ...]:
    return load_questions(select_tasks(names, registry()), source).questions


def test_every_task_has_an_open_one_with_the_same_questions(demo: Path) -> None:
    source = DataSource(root=demo)
    for name in ("animal", "counting", "object-not-visible-identification", "cholectrack20"):
        closed, opened = questions(name, source), questions(f"open-{name}", source)
        assert [(q.key, q.text, q.frames) for q in opened] == [(q.key, q.text, q.frames) for q in closed]
        assert not any(q.options for q in opened)
        assert [q.hidden_options for q in opened] == [q.options for q in closed]
        assert [q.target for q in opened] == [q.references["answer_text"] for q in closed]
    assert len(questions("open", source)) == len(questions("all", source))


def test_72_questions_of_the_testbed_need_their_options(shared_data: Path) -> None:
    source = DataSource(root=shared_data, questions_file=shared_data / "egocross_testbed_imgs.json")
    found = questions("open", source)
    assert len(found) == 957
    assert sum(q.needs_options for q in found) == 72
    assert {q.label("answerable") for q in found if q.needs_options} == {"with options"}
    assert {q.label("question_type") for q in found if q.needs_options} == {"object not visible identification"}


def test_support_questions_are_answered_by_the_text_of_the_right_option(demo: Path) -> None:
    closed, opened = (questions(name, DataSource(root=demo, split="support")) for name in ("all", "open"))
    assert [q.target for q in opened] == [q.options[q.target or ""] for q in closed]


def test_a_glob_means_the_tasks_of_one_benchmark() -> None:
    names = [task.name for task in select_tasks("*counting", registry())]
    assert names == ["counting", "object-counting"]
    assert [task.name for task in select_tasks("open-*counting", registry())] == [
        "open-counting",
        "open-object-counting",
    ]
    assert len(select_tasks("*counting", registry(), across=True)) == 4


def shown(task: str, demo: Path, **options: object) -> dict[str, str]:
    plan = plan_run(options_from(RunOptions(), tasks=task, data=demo, frames="none", **options), registry())
    return {
        q.key: "\n".join(m.parts[0].text for m in plan.approach(q).renderer.render(q, None).messages)  # type: ignore[union-attr]
        for q in plan.questions
    }


@pytest.mark.parametrize("style", ["open", "open-paper", "json", "challenge"])
def test_options_are_shown_only_where_nothing_can_be_said_without_them(style: str, demo: Path) -> None:
    by_key = {q.key: q for q in questions("open", DataSource(root=demo))}
    plain, with_options = shown("open", demo, style=style), shown("open", demo, style=style, show_options=True)
    for key, question in by_key.items():
        block = f"Choose among: {'; '.join(question.hidden_options.values())}."
        assert question.text in plain[key]
        assert block not in plain[key]
        assert (block in with_options[key]) == question.needs_options
        assert (plain[key] == with_options[key]) != question.needs_options


def test_the_style_of_open_tasks_is_their_own(demo: Path) -> None:
    plan = plan_run(options_from(RunOptions(), tasks="open-animal", data=demo), registry())
    assert plan.settings.prompt.style == "open"
    closed = plan_run(options_from(RunOptions(), tasks="animal", data=demo), registry())
    assert closed.settings.prompt.style == "letter"


def test_a_template_must_show_the_options_that_are_to_be_shown(demo: Path, tmp_path: Path) -> None:
    template = tmp_path / "short.j2"
    template.write_text("{{ question }}")
    assert shown("open", demo, style=str(template))
    with pytest.raises(UsageError, match="option_block"):
        shown("open", demo, style=str(template), show_options=True)


@pytest.mark.parametrize("options", [{"answer": "choose"}, {"method": "rotate"}])
def test_what_needs_options_is_refused(options: dict[str, str], demo: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="have no options"):
        evaluate("baseline:chance", "open", data=demo, output=tmp_path / "run", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_answers_wait_for_a_judge_and_the_prediction_of_json_is_the_answer(demo: Path, tmp_path: Path) -> None:
    reply = '```json\n{"prediction": "a hook", "reason": "it is seen"}\n```'
    with FakeServer(answers=lambda call: reply if call.number % 2 else '{"prediction": "cut', models=("m",)) as server:
        spec = f"openai:m,base_url={server.base_url}"
        run = evaluate(spec, "open-animal", data=demo, output=tmp_path / "run", style="open-paper")
    said = {sample.decision.text for sample in run.samples}
    assert said == {"a hook", '{"prediction": "cut'}
    assert {sample.outcome for sample in run.samples} == {"unscored"}
    assert run.results.micro is None
    assert run.results.waits
    assert run.results.complete, "every question is answered"


def test_a_sampled_method_takes_the_most_frequent_text(demo: Path, tmp_path: Path) -> None:
    with FakeServer(answers=lambda call: "A Hook" if call.body["seed"] % 3 else "grasper", models=("m",)) as server:
        spec = f"openai:m,base_url={server.base_url}"
        run = evaluate(
            spec, "open-animal", data=demo, output=tmp_path / "run", method="sample:3", temperature=0.5, limit=3
        )
    assert {(sample.decision.text, len(sample.answers)) for sample in run.samples} == {("A Hook", 3)}


def test_open_tasks_are_listed_with_their_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("tasks", "open*", "--format", "json") == 0
    counts = {task["name"]: task["counts"].get("testbed") for task in json.loads(capsys.readouterr().out)}
    assert counts["open"] == 957
    assert counts["open-object-not-visible-identification"] == 72


def test_examples_before_a_question_are_answered_in_words(demo: Path) -> None:
    known = {q.text: q for q in questions("open", DataSource(root=demo, split="support"))}
    plan = plan_run(options_from(RunOptions(), tasks="open-counting", data=demo, frames="none", shots="2"), registry())
    first = plan.questions[0]
    prompt = plan.approach(first).renderer.render(first, None)
    roles = [message.role for message in prompt.messages]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
    replies = [message.parts[0].text for message in prompt.messages if message.role == "assistant"]  # type: ignore[union-attr]
    targets = {q.target for q in known.values()}
    assert set(replies) <= targets
    assert not set(replies) & set("ABCD")
