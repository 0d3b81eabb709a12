"""The renderer: styles, choice of frames, media, time marks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from egocross_eval.contracts.registry import load_registry
from egocross_eval.contracts.style import PromptStyle, StyledText
from egocross_eval.errors import UnsafePathError, UsageError
from egocross_eval.frames.roots import DataRoot
from egocross_eval.frames.selection import FrameSelection
from egocross_eval.prompts.renderer import Renderer, prompt_text
from egocross_eval.prompts.templates import template_style
from egocross_eval.schema import Frame, ImagePart, Question, TextPart, VideoPart
from egocross_eval.settings import PromptSettings


def question(frames: int = 4, *, timed: bool = True) -> Question:
    return Question(
        id=7,
        key="EgoPet_812_q1_x",
        text="Which animal is it?",
        options={"A": "Cat", "B": "Dog", "C": "Goose", "D": "Wolf"},
        frames=tuple(Frame(name=f"f/{i}.jpg", time=2.0 * i if timed else None) for i in range(frames)),
        cluster="EgoPet/812",
        labels={"domain": "animal", "dataset": "EgoPet", "question_type": "animal identification"},
        target="B",
    )


def renderer(style: str = "letter", frames: str = "all", **options: object) -> Renderer:
    settings = PromptSettings(style=style, frames=frames, **options)  # type: ignore[arg-type]
    return Renderer(style=load_registry().prompt_style(style), settings=settings)


@pytest.mark.parametrize("style", ["letter", "json", "challenge"])
def test_every_style_shows_question_options_and_all_frames_but_not_the_answer(style: str, tmp_path: Path) -> None:
    prompt = renderer(style).render(question(), DataRoot(tmp_path))
    text = "\n".join(text for _, text in prompt_text(prompt))
    assert "Which animal is it?" in text
    assert "A: Cat\nB: Dog\nC: Goose\nD: Wolf" in text
    assert text.count("<image>") == 4
    assert [part.frame.name for part in prompt.images()] == ["f/0.jpg", "f/1.jpg", "f/2.jpg", "f/3.jpg"]


def test_the_challenge_style_is_the_form_of_the_support_set(tmp_path: Path) -> None:
    prompt = renderer("challenge").render(question(2), DataRoot(tmp_path))
    assert prompt_text(prompt) == (("user", "<image><image>Which animal is it?\nA: Cat\nB: Dog\nC: Goose\nD: Wolf"),)


def test_time_marks_stand_before_their_frames(tmp_path: Path) -> None:
    prompt = renderer(timestamps=True).render(question(3), DataRoot(tmp_path))
    parts = prompt.messages[-1].parts
    images = [i for i, part in enumerate(parts) if isinstance(part, ImagePart)]
    marks = [parts[i - 1] for i in images]
    assert [mark.text for mark in marks if isinstance(mark, TextPart)] == [
        "<0.0 seconds>",
        "<2.0 seconds>",
        "<4.0 seconds>",
    ]


def test_a_video_carries_the_true_times_of_its_frames(tmp_path: Path) -> None:
    prompt = renderer(frames="tail:2", media="video").render(question(4), DataRoot(tmp_path))
    (video,) = [part for part in prompt.messages[-1].parts if isinstance(part, VideoPart)]
    assert [index / video.fps for index in video.indices] == [4.0, 6.0]


def test_a_video_of_frames_whose_times_are_not_known_is_refused_and_none_are_invented(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="times of its frames are not known"):
        renderer(media="video").render(question(timed=False), DataRoot(tmp_path))


def test_images_whose_times_are_not_known_are_shown_as_without_times(tmp_path: Path) -> None:
    asked = question(timed=False)
    with_times = renderer(timestamps=True).render(asked, DataRoot(tmp_path))
    assert with_times == renderer().render(asked, DataRoot(tmp_path))


def test_the_blind_baseline_mentions_no_frames(tmp_path: Path) -> None:
    prompt = renderer(frames="none").render(question(), DataRoot(tmp_path))
    assert prompt.frame_paths() == []
    assert "frame" not in prompt_text(prompt)[0][1]


def test_a_frame_outside_the_data_root_is_refused(tmp_path: Path) -> None:
    bad = Question(
        **{
            **{name: getattr(question(), name) for name in Question.__struct_fields__},
            "frames": (Frame(name="../secret.jpg", time=0.0),),
        }
    )
    with pytest.raises(UnsafePathError, match=r"secret\.jpg"):
        renderer().render(bad, DataRoot(tmp_path))


@pytest.mark.parametrize("text", ["", "some", "uniform", "uniform:0", "uniform:-1", "tail:x", "uniform:٣", "all:2"])
def test_malformed_frame_choices_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="uniform:N"):
        FrameSelection.parse(text)


@given(st.integers(0, 95), st.integers(1, 40), st.sampled_from(["uniform", "tail"]))
def test_chosen_frames_are_in_time_order_distinct_and_as_many_as_asked(have: int, want: int, kind: str) -> None:
    frames = tuple(Frame(name=str(i), time=float(i)) for i in range(have))
    chosen = FrameSelection.parse(f"{kind}:{want}").apply(frames)
    times = [frame.time for frame in chosen if frame.time is not None]
    assert len(chosen) == min(have, want)
    assert times == sorted(set(times))
    if kind == "tail" and have:
        assert chosen[-1] == frames[-1]
    if kind == "uniform" and have >= want >= 2:
        assert (chosen[0], chosen[-1]) == (frames[0], frames[-1])


def template(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.j2"
    path.write_text(text)
    return path


def test_a_template_file_places_words_and_frames(tmp_path: Path) -> None:
    path = template(
        tmp_path,
        '{% set system = "Be brief." %}Look:{{ frames }}{{ question }} ({{ domain }})\n{{ option_block }}\n'
        "{% for t in times %}{{ t }};{% endfor %}",
    )
    style, digest = template_style(path)
    prompt = Renderer(style=style).render(question(2), DataRoot(tmp_path))
    (_, system), (_, user) = prompt_text(prompt)
    assert system == "Be brief."
    assert user.startswith("Look:<image><image>Which animal is it? (animal)\nA: Cat")
    assert user.endswith("0.0;2.0;")
    assert len(digest) == 64


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ question", "line 1"),
        ("{{ frames }}{{ qestion }}", "qestion"),
        ("{{ question }}{{ option_block }}", "where the frames go"),
        ("{{ frames }}{{ frames }}{{ question }}{{ option_block }}", "more than once"),
        ("{{ frames }}{{ question }}", "option_block"),
        ("{{ frames }}{{ option_block }}", "Which animal"),
        ("{{ frames }}{{ 1 / 0 }}", "division by zero"),
        ("{{ frames }}{{ nonsense }}", "known: domain, dataset, question_type, question, options"),
        ("{{ frames }}{{ ''.__class__.__mro__ }}", "mine.j2"),
    ],
)
def test_a_wrong_template_is_named_with_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    path = template(tmp_path, text)

    def render() -> None:
        style, _ = template_style(path)
        Renderer(style=style).render(question(), DataRoot(tmp_path))

    with pytest.raises(UsageError) as caught:
        render()
    assert says in str(caught.value)
    assert "mine.j2" in str(caught.value)


def test_an_option_with_template_syntax_stays_text(tmp_path: Path) -> None:
    path = template(tmp_path, "{{ frames }}{{ question }}\n{{ option_block }}")
    style, _ = template_style(path)
    tricky = Question(
        **{
            **{name: getattr(question(), name) for name in Question.__struct_fields__},
            "options": {"A": "{{ 7*7 }}", "B": "<b>"},
        }
    )
    prompt = Renderer(style=style).render(tricky, DataRoot(tmp_path))
    assert "A: {{ 7*7 }}\nB: <b>" in prompt_text(prompt)[0][1]


def test_a_style_that_fails_is_named_with_the_question(tmp_path: Path) -> None:
    def render(question: Question, option_block: str) -> StyledText:
        raise KeyError("verb")

    style = PromptStyle(name="broken", description="", render=render)
    with pytest.raises(UsageError, match=r"the prompt style 'broken' failed on .*KeyError: 'verb'"):
        Renderer(style=style).render(question(), DataRoot(tmp_path))


def test_the_words_of_the_json_style_are_true_of_what_is_shown(tmp_path: Path) -> None:
    def system(asked: Question) -> str:
        return str(renderer("json").render(asked, DataRoot(tmp_path)).messages[0].parts[0])

    assert "first-person video and answer multiple-choice questions" in system(question())
    assert "video" not in system(structs.replace(question(), frames=()))
    assert "multiple-choice" not in system(structs.replace(question(), options={}))
