"""What the site is made of, before any browser: data files, names, comparisons, tables and the folder."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from calling import call
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from scored_samples import question, record, sample, with_answer, write_run
from site_runs import HOSTILE, HOSTILE_NAME, answered, questions, site_run, write_runs

from egocross_eval.cli.main import main
from egocross_eval.errors import UsageError
from egocross_eval.leaderboard.site import build, chart_library
from egocross_eval.leaderboard.site.answers import parts, question_list
from egocross_eval.leaderboard.site.overview import FRAME_EDGES, Shown, bins, confusion, run_json
from egocross_eval.leaderboard.site.pairs import compare_pairs
from egocross_eval.leaderboard.site.pool import clip_seconds, pool
from egocross_eval.leaderboard.site.scripts import data_script, slug, utf16_span
from egocross_eval.schema import Ask, BenchmarkRecord, Frame, Grouping, Reading, SentFrame
from egocross_eval.scoring.comparison import ComparedRun, compare_all
from egocross_eval.scoring.verdict import verdict_sentence


@pytest.fixture(autouse=True)
def no_chart_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests look at our own files: making the bundle of the chart library takes seconds."""
    monkeypatch.setattr(build, "chart_library", lambda: b"/* charts */")


def read_data(site: Path, name: str) -> Any:
    """The value that a data file hands to the page."""
    text = (site / "data" / f"{name}.js").read_text(encoding="utf-8")
    found = re.fullmatch(r'egocross\.put\("([^"]+)",(.*)\);\n', text.replace('", ', '",', 1), re.DOTALL)
    assert found is not None
    assert found[1] == name
    return json.loads(found[2])


class Markup(HTMLParser):
    """Tags with the names of their attributes, and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[str]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name for name, _ in attrs]))

    def handle_data(self, data: str) -> None:
        self.text += data


texts = st.text(max_size=200)


@given(st.recursive(texts, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3)))
def test_a_data_script_holds_its_value_and_nothing_that_could_leave_a_script(value: Any) -> None:
    script = data_script("x", value).decode()
    assert json.loads(script.removeprefix('egocross.put("x", ').removesuffix(");\n")) == value
    assert not set(script) & set("<>&\u2028\u2029")


@given(st.lists(texts, max_size=8))
def test_names_in_links_are_plain_and_differ(names: list[str]) -> None:
    taken: set[str] = set()
    slugs = [slug(name, taken) for name in names]
    assert len(set(slugs)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one) for one in slugs)


@given(texts, st.integers(-5, 250), st.integers(-5, 250))
def test_spans_are_counted_as_the_browser_counts(text: str, start: int, end: int) -> None:
    first, last = utf16_span(text, (start, end))
    units = text.encode("utf-16-le", "surrogatepass")
    shown = units[2 * first : 2 * last].decode("utf-16-le", "surrogatepass")
    low = min(max(start, 0), len(text))
    assert shown == text[low : max(low, min(max(end, 0), len(text)))]


def test_runs_that_asked_the_same_questions_share_them() -> None:
    asked = questions(8)
    unknown = [replace(one, target=None) for one in asked]
    pooled = pool([site_run("a", answered(unknown, 2)), site_run("b", answered(asked, 3))])
    assert len(pooled.questions) == 8
    assert [one.target for one in pooled.questions] == [one.target for one in asked]


def test_questions_that_differ_in_text_stay_apart_under_names_of_their_own() -> None:
    first, second = question(1), question(1, text="Something else?")
    pooled = pool([site_run("a", [sample(first, "right")]), site_run("b", [sample(second, "wrong")])])
    assert len(pooled.questions) == 2
    assert len(set(pooled.keys)) == 2
    assert [[one is not None for one in row] for row in pooled.samples].count([True, False]) == 1


def test_clip_lengths_are_known_only_where_every_time_is() -> None:
    frames = (Frame(name="a", time=3.0), Frame(name="b", time=9.0))
    assert clip_seconds(question(1, frames=frames)) == 6.0
    assert clip_seconds(question(1, frames=(*frames, Frame(name="c")))) is None
    assert clip_seconds(question(1)) is None


def test_pairs_are_compared_exactly_as_the_compare_verb_does() -> None:
    asked = questions(96)
    alone = [replace(one, cluster=one.cluster if one.label("domain") != "animal" else "animal/only") for one in asked]
    runs = [
        site_run("a", answered(alone, 2)),
        site_run("b", answered(alone, 3)),
        site_run("c", [*answered(alone, 5)[:-4], *[sample(one, "errored") for one in alone[-4:]]]),
        site_run("d", answered(alone[:60], 7)),
        site_run("e", answered(alone, 2)),
    ]
    found = compare_pairs(runs, pool(runs), range(len(runs)))
    assert len(found) == 10
    same = [ComparedRun(label=run.label, record=run.record, samples=run.samples) for run in runs]
    for start in range(4):
        # Whichever run comes first: the verdict on a pair is about all pairs of the same runs.
        want = {one.second: one for one in compare_all([*same[start:], *same[:start]])}
        for first, second, got in found:
            if first == start:
                assert got == want[runs[second].label]
                assert verdict_sentence(got) == verdict_sentence(want[runs[second].label])


def test_pairs_without_a_shared_question_are_left_out() -> None:
    runs = [site_run("a", answered(questions(8), 2)), site_run("b", answered(questions(8, text="Other?"), 2))]
    assert compare_pairs(runs, pool(runs), [0, 1]) == []


def test_bins_cover_every_count_once() -> None:
    names = [one.name(whole=True) for one in bins(FRAME_EDGES)]
    assert names == ["up to 4", "5–8", "9–12", "13–20", "21–30", "over 30"]
    run = site_run("a", answered(questions(80), 3))
    shown = run_json(run, run.samples, pool([run]), Shown())
    assert sum(one["n"] for one in shown["frames"]) == 80
    assert sum(one["n"] for one in shown["seconds"]) == 80
    assert sum(one["right"] for one in shown["frames"]) == run.results.counts["right"]


def test_confusion_counts_letters_and_answers_that_were_not_read() -> None:
    asked = question(1, target="B")
    cells = confusion([sample(asked, "right"), sample(asked, "not_parsed"), sample(asked, "errored")])
    assert cells == [
        {"right": "B", "said": "B", "count": 1},
        {"right": "B", "said": "none", "count": 1},
    ]


def test_costs_are_means_over_the_questions_that_say() -> None:
    run = site_run("a", [sample(question(1), "right", input_tokens=10), sample(question(2), "right")])
    cost = run_json(run, run.samples, pool([run]), Shown())["cost"]
    assert cost == {"input": 10.0, "output": None, "seconds": None}


def test_parts_hold_every_question_once_and_in_order() -> None:
    runs = [
        site_run("a", answered(questions(40), 2, text="x" * 120_000 + "B")),
        site_run("b", answered(questions(40), 3)),
    ]
    pooled = pool(runs)
    cut = parts(pooled, {})
    assert cut[0].start == 0
    assert sum(len(part.questions) for part in cut) == 40
    listed = question_list(runs, pooled, [part.start for part in cut])
    assert {len(row) for row in (*listed["outcomes"], *listed["said"])} == {40}
    assert listed["outcomes"][0][2] == "n"


def test_what_was_said_is_kept_whatever_its_form_and_cut_where_it_is_long() -> None:
    first = sample(question(1), "right")
    odd = replace(first, grade=replace(first.grade, prediction="17.5 " * 100))
    run = site_run("a", [odd, sample(question(2), "right"), sample(question(3), "not_parsed")])
    long, letter, nothing = question_list([run], pool([run]), [0])["said"][0]
    assert (letter, nothing) == ("A", None)
    assert long == ("17.5 " * 100)[:79] + "…"


def test_a_part_of_the_mark_is_told_apart_from_wrong() -> None:
    made = sample(question(1), "wrong")
    run = site_run("a", [replace(made, grade=replace(made.grade, credit=0.5)), sample(question(2), "wrong")])
    assert question_list([run], pool([run]), [0])["outcomes"] == ["pw"]
    detail = json.loads(bytes(parts(pool([run]), {})[0].questions[0]))
    assert (detail["answers"][0]["outcome"], detail["answers"][0]["credit"]) == ("p", 0.5)


def test_a_question_without_options_has_its_answer_in_words() -> None:
    asked = question(1, options={}, target="40")
    made = sample(asked, "right")
    run = site_run("a", [replace(made, grade=replace(made.grade, prediction="40"))])
    listed = question_list([run], pool([run]), [0])
    assert (listed["items"][0][4], listed["items"][0][5], listed["said"]) == ([], ["40"], [["40"]])
    assert confusion(run.samples) == []


def test_all_answers_of_a_method_are_shown_with_what_each_was_asked() -> None:
    made = sample(question(1, options={"A": "cup", "B": "box"}), "right")
    (answer,) = made.answers
    turned = replace(
        answer,
        ask=Ask(name="r1", options={"A": "box", "B": "cup"}),
        sent=replace(answer.sent, messages=(("user", "turned"),)),
        reading=Reading(label="B"),
    )
    run = site_run("a", [replace(made, answers=(replace(answer, ask=Ask(name="r0")), turned))])
    detail = json.loads(bytes(parts(pool([run]), {})[0].questions[0]))
    first, second = detail["answers"][0]["asks"]
    assert (first["name"], first["option"], first["prompt"]) == ("r0", "cup", 0)
    assert (second["name"], second["label"], second["option"], second["prompt"]) == ("r1", "B", "cup", 1)
    assert detail["prompts"][1] == [["user", "turned"]]


def test_frames_that_were_left_out_or_moved_are_told() -> None:
    frames = tuple(Frame(name=f"{k}.png", time=2.0 * k) for k in range(4))
    made = sample(question(1, frames=frames), "right")
    sent = tuple(SentFrame(name=f"{k}.png") for k in (3, 1))
    run = site_run("a", [with_answer(made, sent=replace(made.answers[0].sent, frames=sent))])
    detail = json.loads(bytes(parts(pool([run]), {})[0].questions[0]))
    assert detail["answers"][0]["sent"] == [3, 1]


def test_the_page_escapes_what_runs_are_called(tmp_path: Path) -> None:
    folders = write_runs(tmp_path, hostile=True)
    build.build_site(folders, tmp_path / "site", title="<script>window.hacked = 1</script>")
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    markup = Markup()
    markup.feed(page)
    assert "window.hacked" in markup.text
    assert {name for _, names in markup.tags for name in names if name.startswith("on") or name == "style"} == set()
    assert [names for tag, names in markup.tags if tag == "script" and "src" not in names] == []
    assert "img" not in {tag for tag, _ in markup.tags}


def test_hostile_output_arrives_whole_and_never_as_markup(tmp_path: Path) -> None:
    folders = write_runs(tmp_path, hostile=True)
    build.build_site(folders, tmp_path / "site")
    for file in (tmp_path / "site" / "data").glob("*.js"):
        assert "<" not in file.read_text(encoding="utf-8")
    said = read_data(tmp_path / "site", "answers-0")[0]["answers"][1]
    assert said["text"] == HOSTILE
    start, end = said["span"]
    assert HOSTILE[start:end] == "B"
    assert read_data(tmp_path / "site", "summary")["runs"][1]["label"] == HOSTILE_NAME


def test_the_site_names_no_place_of_this_machine(tmp_path: Path) -> None:
    folders = write_runs(tmp_path)
    build.build_site(folders, tmp_path / "site")
    everything = "".join(file.read_text(encoding="utf-8") for file in (tmp_path / "site").rglob("*.[jh][st]*"))
    assert str(tmp_path) not in everything


def test_the_page_ranks_as_every_leaderboard_does(tmp_path: Path) -> None:
    folders = write_runs(tmp_path)
    build.build_site(folders, tmp_path / "site", published=False)
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr>\s*<td[^>]*>([^<]*)</td>\s*<th scope=\"row\"[^>]*>(?:<a[^>]*>)?([^<]*)", page)
    assert rows == [("1", "strong model"), ("2", "weak model"), ("–", "incomplete model")]
    assert "strong model is better than weak model: " in page


def test_two_runs_are_compared_in_the_order_they_were_named(tmp_path: Path) -> None:
    strong, weak, _ = write_runs(tmp_path)
    build.build_site([weak, strong], tmp_path / "site")
    summary = read_data(tmp_path / "site", "summary")
    assert summary["start"] == [0, 1]
    assert [run["label"] for run in summary["runs"]] == ["weak model", "strong model"]


def test_one_run_and_exported_rows_make_a_site(tmp_path: Path) -> None:
    strong, weak, _ = write_runs(tmp_path)
    rows = tmp_path / "rows.json"
    with pytest.raises(SystemExit) as exit_:
        main(["leaderboard", str(weak), "--no-published", "--output", str(rows)])
    assert exit_.value.code == 0
    made = build.build_site([strong, rows], tmp_path / "site", published=False)
    assert (made.runs, made.pairs) == (1, 0)
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "weak model" in page
    assert 'id="pair"' not in page


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """Rows of three runs and all published ones, as `leaderboard` exports them."""
    rows = tmp_path / "rows.json"
    assert call("leaderboard", *write_runs(tmp_path), "--output", rows) == 0
    return rows


def test_rows_alone_make_a_site_of_their_leaderboard(
    board: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("site", board, "--output", tmp_path / "site") == 0
    assert " rows, " in capsys.readouterr().out
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "weak model" in page
    assert "results on EgoCross" in page
    assert "#/questions" not in page
    assert read_data(tmp_path / "site", "summary")["shown"]["questions"] is False
    assert not (tmp_path / "site" / "data" / "questions.js").exists()


def test_published_rows_of_a_file_are_left_out_where_they_are_not_wanted(board: Path, tmp_path: Path) -> None:
    build.build_site([board], tmp_path / "site", published=False)
    assert "GPT-4.1" not in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    published = tmp_path / "published.json"
    assert call("leaderboard", "--output", published) == 0
    with pytest.raises(UsageError, match="--no-published leaves them out"):
        build.build_site([published], tmp_path / "other", published=False)


def test_rows_alone_have_no_frames_to_show(board: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give the run folders too"):
        build.build_site([board], tmp_path / "site", frames=True)


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    folders = write_runs(tmp_path)
    build.build_site(folders, tmp_path / "one")
    build.build_site(folders, tmp_path / "two")
    names = sorted(file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*") if file.is_file())
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)


def test_a_site_is_written_anew_and_leaves_nothing_of_the_old_one(tmp_path: Path) -> None:
    folders = write_runs(tmp_path)
    build.build_site(folders, tmp_path / "site")
    (tmp_path / "site" / "data" / "answers-99.js").write_text("old")
    build.build_site(folders[:1], tmp_path / "site")
    assert not (tmp_path / "site" / "data" / "answers-99.js").exists()


def test_a_folder_with_other_things_is_refused_and_kept(tmp_path: Path) -> None:
    folders = write_runs(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="holds no site"):
        build.build_site(folders, other)
    assert [file.name for file in other.iterdir()] == ["thesis.tex"]


def everything(site: Path) -> str:
    return "".join(file.read_text(encoding="utf-8") for file in [site / "index.html", *(site / "data").iterdir()])


def test_without_answers_nothing_says_what_is_right(tmp_path: Path) -> None:
    first = question(1, text="What colour is it?", references={"answer_text": "SECRET"})
    words = question(2, options={}, target="SECRET")
    said = sample(words, "wrong")
    near = replace(said, grade=replace(said.grade, credit=0.5, prediction="38", reason="off by 5 % of SECRET"))
    lines = [sample(first, "right"), near, sample(question(3), "not_parsed"), sample(question(4), "errored")]
    write_run(tmp_path / "run", record("model", question_count=4), lines)
    build.build_site([tmp_path / "run"], tmp_path / "site", published=False)
    assert "SECRET" in everything(tmp_path / "site")
    build.build_site([tmp_path / "run"], tmp_path / "site", published=False, answers=False)
    assert "SECRET" not in everything(tmp_path / "site")
    listed = read_data(tmp_path / "site", "questions")
    assert listed["outcomes"] == ["uune"]
    assert [item[5] for item in listed["items"]] == [[], [], [], []]
    assert listed["said"][0][:2] == ["A", "38"]
    assert read_data(tmp_path / "site", "summary")["runs"][0]["said"] == []
    assert "37.50" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_without_questions_only_figures_are_there(tmp_path: Path) -> None:
    folders = write_runs(tmp_path)
    build.build_site(folders, tmp_path / "site")
    build.build_site(folders, tmp_path / "site", questions=False)
    assert [file.name for file in (tmp_path / "site" / "data").iterdir()] == ["summary.js"]
    text = everything(tmp_path / "site")
    assert "What colour is box" not in text
    assert "#/questions" not in text
    assert "strong model is better than weak model: " in text


def test_frames_are_refused_where_no_question_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(folder) for folder in write_runs(tmp_path)]
    with pytest.raises(SystemExit) as exit_:
        main(["site", *folders, "--output", str(tmp_path / "site"), "--frames", "--no-questions"])
    assert exit_.value.code == 2
    assert "leave --frames or --no-questions out" in capsys.readouterr().err


def test_thumbnails_are_small_shared_and_removed_when_unused(tmp_path: Path) -> None:
    from PIL import Image

    folders = write_runs(tmp_path, count=4)
    for number in range(1, 5):
        for place in range(1 + number):
            picture = tmp_path / "data" / "clips" / str(number) / f"f{place}.png"
            picture.parent.mkdir(parents=True, exist_ok=True)
            # The first picture of every clip is the same; the others differ.
            Image.new("RGB", (400, 300), (40 * number * min(place, 1), 20 * place, 90)).save(picture)
    made = build.build_site(folders, tmp_path / "site", frames=True, data=tmp_path / "data")
    files = list((tmp_path / "site" / "frames").rglob("*.jpg"))
    assert len(files) == made.thumbnails == 1 + 1 + 2 + 3 + 4
    with Image.open(files[0]) as image:
        assert image.size == (240, 180)
    shown = [detail["frames"] for detail in read_data(tmp_path / "site", "answers-0")]
    assert len({frames[0][2] for frames in shown}) == 1
    assert all((tmp_path / "site" / "frames" / frame[2]).is_file() for frames in shown for frame in frames)
    build.build_site(folders, tmp_path / "site")
    assert list((tmp_path / "site" / "frames").rglob("*.jpg")) == []


def test_a_missing_frame_is_named_before_the_old_site_is_touched(tmp_path: Path) -> None:
    folders = write_runs(tmp_path)
    build.build_site(folders, tmp_path / "site")
    before = (tmp_path / "site" / "index.html").read_bytes()
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"f0\.png"):
        build.build_site(folders, tmp_path / "site", frames=True, data=tmp_path / "empty")
    assert (tmp_path / "site" / "index.html").read_bytes() == before
    assert list((tmp_path / "site" / "data").glob("answers-*.js"))


def test_the_site_is_called_after_its_benchmark_and_is_of_one(tmp_path: Path) -> None:
    from scored_samples import record, write_run

    folders = write_runs(tmp_path / "runs")
    build.build_site(folders, tmp_path / "site")
    assert "<title>EgoCross results</title>" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    made = record("some model", question_count=8)
    other = replace(made, benchmark=replace(made.benchmark, name="gauges", title="Gauges"))
    write_run(tmp_path / "other", other, answered(questions(8), 2))
    with pytest.raises(UsageError, match="of EgoCross and Gauges; make a site of each"):
        build.build_site([*folders, tmp_path / "other"], tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_a_page_names_groups_only_by_the_titles_of_its_benchmark(tmp_path: Path) -> None:
    from scored_samples import record, write_run

    made = record("some model", question_count=8)
    groupings = (Grouping(name="domain", title="instrument", labels=("domain",), groups={"animal": "Dials"}),)
    own = BenchmarkRecord(name="gauges", title="Gauges", groupings=groupings, macro="domain", cluster="machine")
    write_run(tmp_path / "run", replace(made, benchmark=own), answered(questions(8), 2))
    build.build_site([tmp_path / "run"], tmp_path / "site")
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "By instrument" in page
    for foreign in ("EgoCross", "domain", "question type", "video", "multiple-choice"):
        assert foreign not in page
    axes = read_data(tmp_path / "site", "summary")["axes"]
    assert axes[0]["title"] == "instrument"
    assert axes[0]["groups"][0] == ["animal", "Dials"]
    assert axes[1] == {"title": "", "groups": []}


def test_runs_without_an_answer_are_refused(tmp_path: Path) -> None:
    from scored_samples import record, write_run

    write_run(tmp_path / "run", record(), [])
    with pytest.raises(UsageError, match="no answer yet"):
        build.build_site([tmp_path / "run"], tmp_path / "site")


def test_the_verb_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(folder) for folder in write_runs(tmp_path)]
    with pytest.raises(SystemExit) as exit_:
        main(["site", *folders, "--output", str(tmp_path / "site")])
    assert exit_.value.code in (0, None)
    assert "3 runs, 80 questions, 3 pairs" in capsys.readouterr().out
    with pytest.raises(SystemExit) as exit_:
        main(["site", *folders, "--output", str(tmp_path / "site"), "--data", str(tmp_path)])
    assert exit_.value.code == 2
    assert "add --frames" in capsys.readouterr().err


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(UsageError, match=r"\.\[site\]"):
        chart_library.chart_library()
