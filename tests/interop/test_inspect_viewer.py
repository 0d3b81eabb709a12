"""`inspect view`, in a real browser, shows our log: its scores, and each question with its frames."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import other_environments as other
import pytest
from browser import PATIENCE
from ports import free_port
from processes import served

from egocross_eval import Run, evaluate

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("ignore::UserWarning")]

_PICTURES = """
return [...document.querySelectorAll("img")].filter(one => one.src.startsWith("data:image/jpeg"))
    .map(one => one.complete && one.naturalWidth > 50 && one.naturalHeight > 40)
"""


@pytest.fixture(scope="module")
def run(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("viewed") / "run"
    return evaluate("baseline:longest", data=demo, split="demo", frames="uniform:2", output=folder)


@pytest.fixture(scope="module")
def viewer(run: Run, demo: Path) -> Iterator[str]:
    """Address of the viewer's page of the run's log."""
    folder = run.path / "log"
    form = f"inspect,data={demo},max_pixels=4096"
    done = other.run("exports", "egocross-eval", "export", run.path, "--to", form, "--output", folder)
    assert done.returncode == 0, done.stderr
    (log,) = folder.glob("*.eval")
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    command = [str(other.program("exports", "inspect")), "view", "start", "--log-dir", str(folder), "--port", str(port)]
    with served(command, address, run.path / "viewer.log"):
        yield f"{address}#/tasks/{quote(log.name, safe='')}"


def shown(chromium: Chrome, address: str, *words: str) -> str:
    """The text of a page on one line, once it has all these words: its parts come one after the other."""
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.support.ui import WebDriverWait

    def text(page: Chrome) -> str:
        return " ".join(page.find_element("tag name", "body").text.split())

    chromium.get("about:blank")
    chromium.get(address)
    with contextlib.suppress(TimeoutException):
        WebDriverWait(chromium, PATIENCE).until(lambda page: all(one in text(page) for one in words))
    found = text(chromium)
    assert [one for one in words if one not in found] == [], found
    return found


def test_the_viewer_shows_our_figures(run: Run, viewer: str, chromium: Chrome) -> None:
    micro, macro = run.results.micro, run.results.macro
    assert micro is not None
    assert macro is not None
    figures = (f"ACCURACY {micro.accuracy:.3g}", f"MACRO {macro.accuracy:.3f}".rstrip("0"), "100 samples")
    assert "NaN" not in shown(chromium, viewer, run.samples[0].key, *figures)


def test_the_viewer_shows_a_question_with_its_frames_its_answer_and_its_score(
    run: Run, viewer: str, chromium: Chrome
) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    sample = next(sample for sample in run.samples if sample.outcome == "wrong")
    told = f"TARGET {sample.question.target} ANSWER {sample.grade.prediction} SCORE I"
    address = f"{viewer}/samples/sample/{quote(sample.key)}/1/messages"
    shown(chromium, address, "ASSISTANT", sample.question.text, told)
    WebDriverWait(chromium, PATIENCE).until(lambda page: page.execute_script(_PICTURES) == [True, True])
