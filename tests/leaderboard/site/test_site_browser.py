"""The site in a real headless Chromium, opened from disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import PATIENCE
from site_runs import HOSTILE, HOSTILE_NAME
from until import until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CHARTS = ("pair", "parts", "groups", "frames", "seconds", "said", "tokens", "time")


class Page:
    """The site as a reader uses it."""

    def __init__(self, browser: Chrome, site: Path) -> None:
        self.browser = browser
        self.address = (site / "index.html").as_uri()

    def open(self, place: str = "#/") -> None:
        self.browser.get("about:blank")
        self.browser.get(self.address + place)
        self.wait("return document.documentElement.dataset.ready === 'yes'")

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def wait(self, script: str) -> Any:
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.browser, PATIENCE, 0.1).until(lambda browser: browser.execute_script(script), script)

    def find(self, selector: str) -> WebElement:
        from selenium.webdriver.common.by import By

        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        found: list[str] = self.run(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector
        )
        return found

    def press(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.browser).send_keys(*keys).perform()

    def choose(self, selector: str, text: str) -> None:
        from selenium.webdriver.support.ui import Select

        Select(self.find(selector)).select_by_visible_text(text)

    def listed(self) -> int:
        self.wait("return document.querySelector('#count').textContent !== ''")
        return int(self.texts("#count")[0].split()[0])

    def opened(self, key: str) -> None:
        self.wait(f"return document.querySelector('#question').dataset.key === '{key}'")

    def draw_all(self, names: Iterable[str] = CHARTS) -> None:
        for name in names:
            self.run("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", f"chart-{name}")
            self.wait(f"return document.querySelector('#chart-{name} svg, #chart-{name} p') !== null")

    def problems(self) -> list[str]:
        """What the browser complained of: errors, and breaches of the security policy."""
        logged: list[dict[str, Any]] = self.browser.get_log("browser")
        return [entry["message"] for entry in logged if entry["level"] in ("SEVERE", "WARNING")]


@pytest.fixture
def page(chromium: Chrome, hostile_site: Path) -> Iterator[Page]:
    made = Page(chromium, hostile_site)
    made.problems()
    yield made
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_overview_says_which_model_is_better_and_whether_that_is_sure(page: Page) -> None:
    page.open()
    sentence = page.texts("#sentence")[0]
    assert sentence.startswith(f"strong model is better than {HOSTILE_NAME}: ")
    assert " points more (" in sentence
    assert "Sure" in page.texts("#verdict .sure-badge")[0]


def test_another_pair_is_chosen_and_kept_in_the_address(page: Page) -> None:
    page.open()
    page.choose("#pair-b", "incomplete model")
    assert "incomplete model" in page.texts("#sentence")[0]
    shared = page.run("return location.hash")
    page.open()
    page.open(shared)
    assert "incomplete model" in page.texts("#sentence")[0]
    before = page.texts("#pair-figures .number")
    page.choose("#pair-a", "incomplete model")
    assert page.texts("#pair-figures .number") == before[::-1]


def test_the_leaderboard_sorts_by_any_column(page: Page) -> None:
    page.open()
    board = "#leaderboard .scroll:nth-of-type(1) "
    assert page.texts(f"{board}tbody th") == ["strong model", HOSTILE_NAME, "incomplete model"]
    page.run("document.querySelectorAll('table.board thead button')[1].click()")
    assert page.texts(f"{board}tbody th") == [HOSTILE_NAME, "incomplete model", "strong model"]
    assert page.texts(f"{board}th[aria-sort=ascending]") == ["Model"]
    for order, best in (("descending", "strong model"), ("ascending", HOSTILE_NAME)):
        page.run("document.querySelectorAll('table.board thead button')[2].click()")
        assert page.texts(f"{board}th[aria-sort={order}]") == ["Micro"]
        assert page.texts(f"{board}tbody th")[0] == best


def test_every_chart_is_drawn_and_can_be_read_as_a_table(page: Page) -> None:
    page.open()
    page.draw_all()
    drawn = page.run(
        "return [...document.querySelectorAll('.plot')].filter(p => p.querySelector('svg')).map(p => p.id)"
    )
    assert set(drawn) == {f"chart-{name}" for name in CHARTS if name != "time"}
    assert page.texts("#chart-time") == ["The runs don't say."]
    marks = page.run("return document.querySelectorAll('#chart-groups path[aria-label]').length")
    assert marks >= 9
    page.run("document.querySelector('#chart-parts').closest('figure').querySelector('details').open = true")
    page.wait("return document.querySelectorAll('#chart-parts ~ .astable tbody tr').length === 12")
    assert page.problems() == []


def test_a_cell_of_the_heat_map_leads_to_its_questions(page: Page) -> None:
    from selenium.webdriver import ActionChains

    page.open()
    page.draw_all()
    cell = page.find("#chart-groups path[aria-label*='object counting'][aria-label*='strong model']")
    page.run("arguments[0].scrollIntoView({block: 'center'})", cell)
    ActionChains(page.browser).move_to_element(cell).pause(0.3).perform()
    page.wait("return document.querySelector('#vg-tooltip-element')?.classList.contains('visible')")
    ActionChains(page.browser).click().perform()
    page.wait("return location.hash.startsWith('#/questions')")
    page.wait("return document.querySelector('#filter-group').value === 'object counting'")
    assert page.run("return document.querySelector('#filter-run').value") == "run-0"
    assert page.listed() == 26
    assert page.problems() == []


def test_filters_narrow_the_list_and_stay_in_the_address(page: Page) -> None:
    page.open("#/questions")
    assert page.listed() == 80
    page.choose("#filter-part", "Surgery")
    page.wait("return document.querySelector('#count').textContent.startsWith('20 of 80')")
    page.choose("#filter-run", HOSTILE_NAME)
    page.choose("#filter-outcome", "right")
    page.wait("return document.querySelector('#list').children.length < 20")
    narrowed = page.listed()
    assert 0 < narrowed < 20
    shared = page.run("return location.hash")
    page.open("#/questions")
    assert page.listed() == 80
    page.open(shared)
    assert page.listed() == narrowed
    assert page.run("return document.querySelector('#filter-part').value") == "surgery"
    page.find("#filter-clear").click()
    page.wait("return document.querySelector('#count').textContent.startsWith('80 of 80')")


def test_disagreement_and_two_models_at_once(page: Page) -> None:
    page.open("#/questions?run=run-0&outcome=r&run2=run-1&outcome2=not")
    only_first = page.listed()
    page.open()
    links = dict(
        page.run(
            "return [...document.querySelectorAll('.quadrants a')].map(a => [a.textContent, a.getAttribute('href')])"
        )
    )
    counted = next(int(text.split()[0]) for text in links if "Only strong model" in text)
    assert only_first == counted > 0
    page.open("#/questions?agree=agree")
    agreeing = page.listed()
    page.open("#/questions?agree=differ")
    assert page.listed() + agreeing + 1 == 80  # the one that no model's letter was read from is in neither


def test_search_finds_questions_and_on_request_what_models_said(page: Page) -> None:
    page.open("#/questions")
    page.listed()
    page.press("/")
    page.wait("return document.activeElement.id === 'filter-q'")
    page.press("box 17")
    page.wait("return document.querySelector('#count').textContent.startsWith('1 of 80')")
    page.open("#/questions?q=onerror")
    assert page.listed() == 0
    page.run("document.querySelector('#filter-text').click()")
    page.wait("return document.querySelector('#count').textContent.startsWith('1 of 80')")


def test_the_keyboard_goes_through_the_questions(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    page.open("#/questions?part=animal")
    page.listed()
    page.opened("EgoPet_v4_q4")
    page.press("j")
    page.opened("EgoPet_v8_q8")
    page.press("k")
    page.opened("EgoPet_v4_q4")
    assert page.texts("#list a[aria-current]")[0].startswith("#4")
    assert "Question 1 of 20" in page.texts("#announce")[0]
    page.press("?")
    page.wait("return document.querySelector('#help').open")
    page.press(Keys.ESCAPE)
    page.wait("return !document.querySelector('#help').open")
    page.press(Keys.ESCAPE)
    page.wait("return !location.hash.includes('id=')")
    page.press("o")
    page.wait("return !document.querySelector('#overview').hidden")
    page.press("e")
    page.wait("return !document.querySelector('#explorer').hidden")


def test_focus_is_seen_and_reaches_everything_by_tab(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    page.open()
    seen = []
    for _ in range(9):
        page.press(Keys.TAB)
        seen.append(page.run("const e = document.activeElement; return e.id || e.textContent.trim()"))
        assert page.run("return getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert seen[:6] == ["skip", "nav-overview", "nav-questions", "help-open", "pair-a", "pair-b"]


def test_a_question_shows_frames_options_answer_and_the_marked_output(page: Page) -> None:
    page.open("#/questions?id=EgoPet_v4_q4")
    page.opened("EgoPet_v4_q4")
    assert page.texts("#question .film li")[-1].endswith("8 s")
    assert len(page.texts("#question .film li")) == 5
    assert "right answer" in page.texts("#question .choices li.right")[0]
    assert len(page.texts("#question .answer")) == 3
    assert page.texts("#question .answer .badge")[0].strip() == "✓ right"


def test_hostile_text_is_shown_and_never_run(page: Page) -> None:
    page.open("#/questions?run=run-1&id=ENIGMA_v1_q1")
    page.opened("ENIGMA_v1_q1")
    assert page.texts("#question .answer .output")[0] == HOSTILE
    assert page.texts("#question .answer:first-child mark") == ["B"]
    assert page.texts("#question .answer h4")[0] == HOSTILE_NAME
    page.open()
    page.draw_all()
    assert page.run("return window.hacked === undefined")
    assert page.run("return document.querySelectorAll('img, svg [onload], [onerror], body script').length") == 0
    assert page.problems() == []


def test_the_security_policy_stops_what_is_not_of_the_site(page: Page) -> None:
    page.open()
    page.run(
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 1'; document.head.append(s);"
        "const d = document.createElement('div'); d.innerHTML = '<img src=x onerror=\"window.hacked = 1\">';"
        "document.body.append(d);"
    )
    page.wait("return document.querySelector('img').complete")
    assert page.run("return window.hacked === undefined")
    until(lambda: any("Content Security Policy" in problem for problem in page.problems()))


def test_an_unknown_question_is_said_to_be_unknown(page: Page) -> None:
    page.open("#/questions?id=nothing")
    page.wait("return document.querySelector('#question .notice') !== null")
    assert "no question nothing" in page.texts("#question .notice")[0]


def test_dark_mode_turns_page_and_charts_dark(page: Page) -> None:
    def colours() -> tuple[str, str]:
        found: list[str] = page.wait(
            "const text = document.querySelector('#chart-pair svg text'), page = document.documentElement;"
            "return text && [getComputedStyle(page).backgroundColor, text.getAttribute('fill')]"
        )
        return found[0], found[1]

    def brightness(colour: str) -> int:
        if colour.startswith("#"):
            return sum(bytes.fromhex(colour[1:]))
        return sum(int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])

    page.open()
    light_page, light_text = colours()
    setting = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", setting)
    page.wait(f"return document.querySelector('#chart-pair svg text')?.getAttribute('fill') !== '{light_text}'")
    dark_page, dark_text = colours()
    assert brightness(light_page) > 600 > 200 > brightness(dark_page)
    assert brightness(light_text) < 200 < 600 < brightness(dark_text)


@pytest.mark.parametrize("place", ["#/", "#/questions", "#/questions?id=EgoPet_v4_q4"])
def test_a_phone_shows_everything_without_sideways_scrolling(page: Page, place: str) -> None:
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    page.open(place)
    if place == "#/":
        page.draw_all()
    elif "id=" in place:
        page.opened("EgoPet_v4_q4")
        assert page.run("return getComputedStyle(document.querySelector('#list-nav')).display") == "none"
    else:
        page.listed()
    assert page.run("return document.documentElement.scrollWidth") <= 360


def test_a_phone_has_previous_and_next_on_one_line(page: Page) -> None:
    phone = {"width": 375, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    page.open("#/questions?id=EgoPet_v8_q8")
    page.opened("EgoPet_v8_q8")
    tops = page.run("return ['previous', 'next'].map(id => document.getElementById(id).getBoundingClientRect().top)")
    assert tops[0] == tops[1]


def test_a_table_wider_than_its_place_says_so_and_another_does_not(page: Page) -> None:
    screen = {"width": 1024, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    page.open()
    page.wait("return document.querySelector('caption .more').hidden === false")
    page.run(
        "for (const row of document.querySelector('table.board').rows) while (row.cells.length > 3) row.deleteCell(-1)"
    )
    page.wait("return document.querySelector('caption .more').hidden === true")


def test_controls_have_names_and_tables_have_headers(page: Page) -> None:
    page.open("#/questions?id=EgoPet_v4_q4")
    page.opened("EgoPet_v4_q4")
    unnamed = page.run(
        "return [...document.querySelectorAll('select, input')].filter(e => !e.labels.length).map(e => e.id)"
    )
    assert unnamed == []
    assert page.run("return document.documentElement.lang") == "en"
    assert page.run("return [...document.querySelectorAll('table')].every(t => t.querySelector('th'))")
    assert page.run("return [...document.querySelectorAll('img')].every(i => i.alt)")


def test_without_questions_figures_are_read_and_lead_nowhere(page: Page, sites_that_hide: Path) -> None:
    from selenium.webdriver import ActionChains

    page.address = (sites_that_hide / "figures" / "index.html").as_uri()
    page.open("#/questions")
    assert page.run("return document.querySelector('#overview').hidden") is False
    page.press("e", "/", "j")
    page.draw_all(name for name in CHARTS if name != "said")
    cell = page.find("#chart-groups path[aria-label*='object counting'][aria-label*='strong model']")
    page.run("arguments[0].scrollIntoView({block: 'center'})", cell)
    ActionChains(page.browser).move_to_element(cell).click().perform()
    assert page.run("return document.querySelector('#overview').hidden") is False
    assert page.run("return document.querySelectorAll('a[href*=questions]').length") == 0
    assert len(page.texts("#pair-figures .quadrants li")) == 4
    assert page.problems() == []


def test_a_site_of_rows_alone_shows_and_sorts_their_leaderboard(page: Page, sites_that_hide: Path) -> None:
    page.address = (sites_that_hide / "rows" / "index.html").as_uri()
    page.open("#/questions")
    assert page.run("return document.querySelector('#overview').hidden") is False
    page.press("e", "/", "j")
    page.find("th[data-column=model] button").click()
    assert page.run("return document.querySelector('th[data-column=model]').getAttribute('aria-sort')") == "ascending"
    assert page.run("return document.querySelectorAll('figure').length") == 0
    assert page.problems() == []


def test_without_answers_a_question_shows_what_was_said_alone(page: Page, sites_that_hide: Path) -> None:
    page.address = (sites_that_hide / "said" / "index.html").as_uri()
    page.open("#/questions?id=EgoPet_v4_q4")
    page.opened("EgoPet_v4_q4")
    assert page.texts("#question .choices li.right") == []
    assert {text.strip() for text in page.texts("#question .answer .badge")} == {"· no known answer"}
    assert "said by" in page.texts("#question .choices")[0]
    assert "right" not in " ".join(page.texts("#filter-agree option, #filter-outcome option"))
    assert "no known answer" in page.texts("#list .marks")[0]
    assert page.listed() == 80
    assert page.problems() == []
