"""Templates of prompt styles and checkpoints: they reach nothing, and none takes all time or memory."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from egocross_eval.errors import UsageError
from egocross_eval.prompts import template_limit
from egocross_eval.prompts.template_limit import limited_rendering, sandbox
from egocross_eval.prompts.templates import template_style
from egocross_eval.schema import Question

QUESTION = Question(id=1, key="q", text="What?", frames=(), options={"A": "one", "B": "two"}, target="A")

HOSTILE = {
    "loops in loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a recursion": "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "a recursive loop": "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "a long range": "{% for a in range(10**9) %}x{% endfor %}",
    "a long text": "{{ 'a' * 10**10 }}",
    "a long text, the other way": "{{ 10**10 * 'a' }}",
    "a long list": "{{ ([0] * 10**10)|length }}",
    "a large number": "{{ 9 ** 999999999 }}",
    "a wide number": "{{ '%9999999999d' % 1 }}",
    "a wide number of a variable": "{{ '%*d' % (9999999999, 1) }}",
    "a wide number by a filter": "{{ '%9999999999d'|format(1) }}",
    "doubling": "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "filler": "{{ lipsum(n=10**9) }}",
    "the interpreter": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ cycler.__init__.__globals__.os.system('touch planted') }}",
    "the question's class": "{{ question.__init__.__globals__ }}",
    "a format": "{{ '{0.__class__}'.format(1) }}",
    "a mapped attribute": "{{ [1]|map(attribute='__class__')|join }}",
    "another file": "{% include '/etc/passwd' %}",
    "another template": "{% import 'os' as os %}",
    "a changed option": "{{ options.update({'A': 'x'}) }}",
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_limit, "SECONDS", 0.3)
    monkeypatch.setattr(template_limit, "MEMORY", 2**28)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_refused_soon(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "style.j2"
    path.write_text(HOSTILE[name] + "{{ question }}{{ option_block }}{{ frames }}")
    style, _ = template_style(path)
    began = time.process_time()
    with pytest.raises(UsageError, match="prompt template") as error:
        style.render(QUESTION, "A: one\nB: two")
    assert len(str(error.value)) < 500
    assert time.process_time() - began < 10
    assert list(tmp_path.iterdir()) == [path]
    assert QUESTION.options == {"A": "one", "B": "two"}


def test_what_renders_in_time_is_left_alone() -> None:
    for _ in range(200):
        with limited_rendering("it"):
            assert sandbox().from_string("{{ 3 * 4 }} {{ 'ab' * 2 }} {{ '%03d' % 7 }}").render() == "12 abab 007"


def test_threads_are_stopped_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_limit, "SECONDS", 2.0)
    ended: list[str] = []

    def loop(name: str, seconds: float) -> None:
        try:
            with limited_rendering(name):
                end = time.monotonic() + seconds
                while time.monotonic() < end:
                    time.sleep(0.001)
            ended.append(f"{name} done")
        except UsageError:
            ended.append(f"{name} stopped")

    threads = [threading.Thread(target=loop, args=one) for one in (("short", 0.0), ("endless", 60.0), ("brief", 0.05))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ended) == ["brief done", "endless stopped", "short done"]


def test_a_block_that_raises_raises_that() -> None:
    with pytest.raises(ZeroDivisionError), limited_rendering("it"):
        raise ZeroDivisionError
