"""Looking into a run: shortcuts, and single answers in the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calling import call

from egocross_eval import evaluate
from egocross_eval.errors import UsageError
from egocross_eval.runs.store import RunFolder


@pytest.fixture
def run(demo: Path, tmp_path: Path) -> Path:
    """A run of a model that looks at nothing."""
    return evaluate("baseline:longest", data=demo, output=tmp_path / "run", limit=40).path


def test_an_audit_runs_what_is_missing_and_says_what_is_left(
    run: Path, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    support = demo / "egocross_support_set" / "train.json"
    assert call("audit", run, "--support", support, "--format", "json") == 0
    said = capsys.readouterr()
    assert said.err.count("note: of the questions") == 1, "once, and not by each probe"
    (found,) = json.loads(said.out)
    assert set(found["probes"]) == {"blind", "position", "longest", "rotate", "shuffled"}
    samples = RunFolder(run).samples()
    assert found["accuracy"] == pytest.approx(sum(sample.outcome == "right" for sample in samples) / 40)
    # The model is one of the probes, and without frames it's as good as with them.
    assert found["probes"]["longest"]["micro"]["difference"] == 0
    assert found["sees"]["low"] <= found["sees"]["share"] == 0 <= found["sees"]["high"]
    assert found["rotations"]["asked"] == 40
    probes = sorted(path.name for path in run.with_name("run-audit").iterdir())
    assert probes == ["blind", "longest", "position", "rotate", "shuffled"]


def test_an_audit_without_running_uses_what_is_there(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("audit", run, "--no-run") == 0
    assert "no probe 'blind'" in capsys.readouterr().err
    assert not run.with_name("run-audit").exists()


def test_shuffled_frames_are_the_same_frames_in_another_order(demo: Path, tmp_path: Path) -> None:
    plain = evaluate("baseline:chance", data=demo, output=tmp_path / "plain")
    shuffled = evaluate("baseline:chance", data=demo, output=tmp_path / "shuffled", shuffled=True)
    orders = []
    for before, after in zip(plain.samples, shuffled.samples, strict=True):
        names, moved = [f.name for f in before.answers[0].sent.frames], [f.name for f in after.answers[0].sent.frames]
        assert sorted(names) == sorted(moved)
        orders.append(names != moved)
    assert any(orders)


def test_shuffled_frames_with_times_are_refused(demo: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="shuffled"):
        evaluate("baseline:chance", data=demo, output=tmp_path / "x", shuffled=True, timestamps=True)


def test_view_shows_the_chosen_answers_only(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = RunFolder(run).samples()
    wrong = [s for s in samples if s.outcome == "wrong" and s.question.label("domain") == "surgery"]
    assert wrong
    assert call("view", run, "--wrong", "--domain", "surgery", "--most", "100") == 0
    shown = capsys.readouterr().out
    assert f"{len(wrong)} of {len(wrong)} answers shown" in shown
    assert "✓" in shown
    assert "→" in shown


def test_view_finds_a_question_by_its_id_and_draws_its_frames(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = RunFolder(run).samples()[0]
    assert call("view", run, "--id", str(sample.question.id), "--frames") == 0
    shown = capsys.readouterr().out
    assert "1 of 1 answers shown" in shown
    assert "▀" in shown


def test_view_prints_markup_in_model_output_as_text(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    path = run / "samples.jsonl"
    path.write_text(path.read_text().replace('"text":"', '"text":"[bold red]hi[/] [link=http://x]y[/link] ', 1))
    assert call("view", run, "--most", "1") == 0
    assert "[bold red]hi[/] [link=http://x]y[/link]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (
            "domian=animal",
            "unknown label 'domian' (did you mean 'domain'?); known: category, dataset, domain, question_type",
        ),
        ("domian=*", "unknown label 'domian' (did you mean 'domain'?)"),
        ("domain=anmal", "unknown domain 'anmal' (did you mean 'animal'?); known: animal, industry, surgery, xsports"),
        ("domain=z*", "unknown domain 'z*'; known: animal, industry, surgery, xsports"),
    ],
)
def test_view_names_a_label_that_no_question_has(
    run: Path, capsys: pytest.CaptureFixture[str], label: str, said: str
) -> None:
    # Also where no answer is left to look at: two runs that agree on every question.
    for runs in ([run], [run, run]):
        assert call("view", *runs, "--label", label) == 2
        assert said in " ".join(capsys.readouterr().err.split())
