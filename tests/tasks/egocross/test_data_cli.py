"""`egocross-eval data` on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmark_files import item, sport_item, write_testbed

from egocross_eval.cli.main import main

NAME = item()["video_path"][1].lstrip("/")


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["data", *map(str, arguments)])
    captured = capsys.readouterr()
    return int(end.value.code or 0), captured.out, captured.err


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_testbed(tmp_path, [item(), sport_item(2, "What action is performed in the video segment from 3s to 70s?")])
    return tmp_path


def test_each_verb_answers_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("verify", "fetch", "demo"):
        code, out, _ = run(capsys, verb, "--help")
        assert code == 0
        assert f"egocross-eval data {verb}" in out
    assert "egocross-eval data fetch testbed" in run(capsys, "--help")[1]


def test_verify_says_in_a_table_that_all_is_well(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "verify", "--data", root, "--split", "demo")
    assert code == 0
    assert "ExtrameSportFPV" in out
    assert "segment end beyond the frames supplied (ExtrameSportFPV 1): id 2" in out
    assert out.strip().splitlines()[-1].startswith("ok: 2 questions on 2 source videos, 6 frames")


def test_verify_ends_with_1_and_names_question_and_frame(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / NAME).unlink()
    code, out, _ = run(capsys, "verify", "--data", root, "--split", "demo")
    assert code == 1
    assert "1 of 3 missing: frame_00001.jpg" in out
    assert "EgoPet_809_q1_animal-identification" in out
    assert "trouble" in out


def test_verify_prints_the_same_as_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / NAME).write_bytes(b"")
    code, out, _ = run(capsys, "verify", "--data", root, "--split", "demo", "--format", "json")
    report = json.loads(out)
    assert code == 1
    assert report["ok"] is False
    assert report["troubles"] == {"empty": 1}
    assert [detail["id"] for detail in report["details"]] == [1, 2]
    assert report["details"][0]["problems"][0]["frame"] == NAME


def test_verify_lists_all_that_is_noted_when_asked(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "ends at 70 s" not in run(capsys, "verify", "--data", root, "--split", "demo")[1]
    assert "ends at 70 s" in run(capsys, "verify", "--data", root, "--split", "demo", "--all")[1]


def test_verify_of_a_part_of_the_testbed_is_trouble(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "verify", "--data", root)
    assert code == 1
    assert "2 questions; the whole split has 957" in out
    assert "1 of 183" in out


def test_the_data_root_comes_from_the_environment(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGOCROSS_DATA", str(root))
    assert run(capsys, "verify", "--questions", root / "egocross_testbed" / "egocross_testbed_imgs.json")[0] == 0


def test_without_a_data_root_the_remedy_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "verify")
    assert code == 2
    assert "EGOCROSS_DATA" in err


def test_verify_without_a_questions_file_says_how_to_fetch_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "verify", "--data", tmp_path)
    assert code == 2
    assert "data fetch testbed" in err


def test_markup_in_file_names_and_messages_is_printed_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["/egocross_testbed/EgoPet/generated/809/frames/ai_q1/[red]a_1.jpg"]
    write_testbed(tmp_path, [item(video_path=names)], frames=False)
    assert "[red]a_1.jpg" in run(capsys, "verify", "--data", tmp_path, "--split", "demo")[1]


def test_fetch_needs_a_part_and_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "fetch", "testbed")[0] == 2
    assert run(capsys, "fetch", "nothing", "--output", "x")[0] == 2


def test_fetch_of_one_domains_answers_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "fetch", "answers", "--domain", "animal", "--output", tmp_path)
    assert code == 2
    assert "leave out --domain" in err


def test_demo_writes_a_root_that_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    code, out, _ = run(capsys, "demo", folder, "--seed", "3")
    assert code == 0
    assert "100 questions, 80 support examples" in out
    assert run(capsys, "verify", "--data", folder)[0] == 0
    assert run(capsys, "verify", "--data", folder, "--split", "support")[0] == 0
