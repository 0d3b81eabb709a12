"""The site of a run under way: who gets it, and what a browser sees while answers come."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from browser import PATIENCE
from until import until
from whole_lines import whole_lines

from egocross_eval import ModelAdapter, Request, Response, UsageError, evaluate
from egocross_eval.leaderboard.site.live import LiveSite
from egocross_eval.sweeps.status import standings

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::UserWarning")]


class Stepwise(ModelAdapter):
    """Answers as many questions as it's allowed."""

    def __init__(self) -> None:
        self.allowed = threading.Semaphore(0)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            assert self.allowed.acquire(timeout=300)
            yield Response(key=request.key, text="A", replica="node/0")


@pytest.fixture
def under_way(tmp_path: Path) -> Iterator[tuple[Path, Stepwise]]:
    adapter, run = Stepwise(), tmp_path / "run"
    thread = threading.Thread(target=lambda: evaluate(adapter, split="demo", limit=30, output=run, frames="uniform:1"))
    thread.start()
    until((run / "run.json").exists)
    yield run, adapter
    for _ in range(30):
        adapter.allowed.release()
    thread.join()


def answer(run: Path, adapter: Stepwise, count: int) -> None:
    samples = run / "samples.jsonl"
    enough = len(whole_lines(samples)) + count
    for _ in range(count):
        adapter.allowed.release()
    until(lambda: len(whole_lines(samples)) >= enough)


def get(address: str, path: str = "", *, host: str = "", method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    connection.request(method, parts.path + path, headers={"Host": host} if host else {})
    found = connection.getresponse()
    return found.status, found.read(), dict(found.getheaders())


def test_only_who_has_the_token_gets_files_of_the_site_and_nothing_else(under_way: tuple[Path, Stepwise]) -> None:
    run, adapter = under_way
    with LiveSite(run, lambda: standings(run)) as site:
        status, page, headers = get(site.address)
        assert status == 200
        assert b"No question is answered yet" in page
        assert headers["Cache-Control"] == "no-store"
        answer(run, adapter, 3)
        assert site.refresh()
        assert not site.refresh()
        status, page, _ = get(site.address)
        assert (status, b"live.js" in page, b"Content-Security-Policy" in page) == (200, True, True)
        for path in ("live.js", "assets/core.js", "data/summary.js", "data/status.js?3"):
            assert get(site.address, path)[0] == 200
        root = site.address.replace(urlsplit(site.address).path, "/")
        for path in ("", "index.html", "x/index.html", urlsplit(site.address).path[1:-2] + "/index.html"):
            assert get(root, path)[0] == 404
        for path in ("../run.json", "..%2f..%2frun.json", "egocross-site.json", "assets/", "nothing.js", "%00.js"):
            assert get(site.address, path)[0] == 404
        assert get(site.address, host="evil.example")[0] == 404
        assert get(site.address, host="localhost:80")[0] == 200
        assert get(site.address, method="POST")[0] == 501
        with pytest.raises(UsageError, match="--port"):
            LiveSite(run, list, port=urlsplit(site.address).port or 0)


def test_a_browser_sees_answers_come(under_way: tuple[Path, Stepwise], chromium: Chrome) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    run, adapter = under_way

    def shown(text: str) -> None:
        script = "return document.querySelector('#live')?.textContent.includes(arguments[0]) ?? false"
        WebDriverWait(chromium, PATIENCE, 0.1).until(lambda browser: browser.execute_script(script, text), text)

    with LiveSite(run, lambda: standings(run)) as site:
        keeper = threading.Thread(target=site.keep_up_to_date, daemon=True)
        keeper.start()
        chromium.get_log("browser")  # what earlier pages said
        chromium.get(site.address)
        shown("0 of 30")
        answer(run, adapter, 4)
        shown("4 of 30")
        WebDriverWait(chromium, PATIENCE, 0.1).until(
            lambda browser: browser.execute_script("return document.querySelector('#leaderboard table') !== null")
        )
        chromium.execute_script("location.hash = '#/questions'")
        answer(run, adapter, 5)
        shown("9 of 30")
        WebDriverWait(chromium, PATIENCE, 0.1).until(
            lambda browser: browser.execute_script("return document.querySelector('#count')?.textContent ?? ''")
        )
        assert chromium.execute_script("return location.hash").startswith("#/questions")
        noise = [entry["message"] for entry in chromium.get_log("browser") if "Security Policy" in entry["message"]]
        assert noise == []
    script = "return document.querySelector('#live')?.dataset.lost === 'yes'"
    WebDriverWait(chromium, PATIENCE, 0.1).until(lambda browser: browser.execute_script(script))
