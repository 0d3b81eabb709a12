"""`inspect view`, in a real browser, shows our log: its scores, and each question with its frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import other_environments as other
import pytest
from browser import PATIENCE
from processes import free_port, served

from egocross_eval import Run, evaluate

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("ignore::UserWarning")]

_PICTURES = """
return [...document.querySelectorAll("img")].filter(one => one.src.startsWith("data:image/jpeg"))
    .map(one => [one.complete, one.naturalWidth, one.naturalHeight])
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


def shown(chromium: Chrome, address: str, words: str) -> str:
    """The text of a page, once it has these words."""
    from selenium.webdriver.support.ui import WebDriverWait

    chromium.get("about:blank")
    chromium.get(address)
    WebDriverWait(chromium, PATIENCE).until(lambda page: words in page.find_element("tag name", "body").text)
    return str(chromium.find_element("tag name", "body").text)


def test_the_viewer_shows_our_figures(run: Run, viewer: str, chromium: Chrome) -> None:
    text = " ".join(shown(chromium, viewer, run.samples[0].key).split())
    micro, macro = run.results.micro, run.results.macro
    assert micro is not None
    assert macro is not None
    assert f"ACCURACY {micro.accuracy:.3g}" in text
    assert f"MACRO {macro.accuracy:.3f}".rstrip("0") in text
    assert "100 samples" in text
    assert "NaN" not in text


def test_the_viewer_shows_a_question_with_its_frames_its_answer_and_its_score(
    run: Run, viewer: str, chromium: Chrome
) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    sample = next(sample for sample in run.samples if sample.outcome == "wrong")
    text = shown(chromium, f"{viewer}/samples/sample/{quote(sample.key)}/1/messages", "ASSISTANT")
    assert sample.question.text in " ".join(text.split())
    assert f"TARGET {sample.question.target} ANSWER {sample.grade.prediction} SCORE I" in " ".join(text.split())
    WebDriverWait(chromium, PATIENCE).until(lambda page: len(page.execute_script(_PICTURES)) == 2)
    assert all(
        complete and width > 50 and height > 40 for complete, width, height in chromium.execute_script(_PICTURES)
    )
