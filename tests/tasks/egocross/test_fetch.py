"""Downloading with the real clients, from a local server. Each case starts a process: most are slow."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_hub import FakeHub, serve
from replied import document

from egocross_eval.errors import MissingExtraError, UsageError
from egocross_eval.tasks.egocross import fetch as module
from egocross_eval.tasks.egocross.fetch import fetch

ANSWERS = "egocross_testbed/egocross_testbed_answers.json"
QUESTIONS = "egocross_testbed/egocross_testbed_imgs.json"
PET = "egocross_testbed/EgoPet/generated/809/frames/ai_q1/frame_00000.jpg"
SPORT = "egocross_testbed/ExtrameSportFPV/generated/VID001/frames/si_q1/frame_00000.jpg"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serve() as server:
        server.files = {
            QUESTIONS: b"[]",
            ANSWERS: b"[1]",
            PET: bytes(range(256)) * 400,
            SPORT: b"sport",
            "README.md": b"read me",
        }
        yield server


def run(
    hub: FakeHub, *arguments: str, to: Path, before: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, since the clients read their settings when they are imported."""
    code = f"{before}\nfrom egocross_eval.cli.main import main; main()"
    home = to.parent / "home"
    settings = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING", "MODELSCOPE"))},
        "HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "HF_ENDPOINT": hub.url,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_ETAG_TIMEOUT": "60",
        "HF_HUB_DOWNLOAD_TIMEOUT": "60",
        "MODELSCOPE_ENDPOINT": hub.url,
        "MODELSCOPE_CACHE": str(home / "modelscope"),
        "NO_PROXY": "127.0.0.1",
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-c", code, "data", "fetch", *arguments, "--output", str(to)],
        env=settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def files_below(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and ".cache" not in path.parts
    }


def test_the_testbed_is_everything_in_its_folder_and_a_second_fetch_asks_for_no_file(
    hub: FakeHub, tmp_path: Path
) -> None:
    root = tmp_path / "data"
    done = run(hub, "testbed", to=root)
    assert done.returncode == 0, done.stderr
    assert files_below(root) == {QUESTIONS, ANSWERS, PET, SPORT}
    assert (root / PET).read_bytes() == hub.files[PET]
    assert "4 files" in done.stdout
    assert "data verify" in done.stdout
    hub.requests.clear()
    assert run(hub, "testbed", to=root).returncode == 0
    assert hub.fetched("frame_00000.jpg") == []


@pytest.mark.slow
def test_the_answers_are_one_file(hub: FakeHub, tmp_path: Path) -> None:
    done = run(hub, "answers", to=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    assert files_below(tmp_path / "data") == {ANSWERS}
    again = run(hub, "answers", "--format", "json", to=tmp_path / "data")
    (found,) = document("data fetch", again.stdout)
    assert (found["part"], found["files"], found["folder"]) == ("answers", 1, str(tmp_path / "data"))


@pytest.mark.slow
def test_a_domain_fetches_its_own_frames_only(hub: FakeHub, tmp_path: Path) -> None:
    done = run(hub, "testbed", "--domain", "xsports", to=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    assert files_below(tmp_path / "data") == {QUESTIONS, ANSWERS, SPORT}


@pytest.mark.parametrize(
    ("gate_listing", "sent", "status"),
    [
        (False, "hf_other", 403),
        pytest.param(False, "", 401, marks=pytest.mark.slow),
        pytest.param(True, "", 401, marks=pytest.mark.slow),
    ],
)
def test_a_gated_refusal_names_the_address_and_the_variable(
    hub: FakeHub, tmp_path: Path, gate_listing: bool, sent: str, status: int
) -> None:
    hub.token, hub.gate_listing = "hf_right", gate_listing
    done = run(hub, "testbed", to=tmp_path / "data", **({"HF_TOKEN": sent} if sent else {}))
    assert done.returncode == 2
    assert "https://huggingface.co/datasets/myuniverse/EgoCross" in done.stderr
    assert "HF_TOKEN" in done.stderr
    assert f"HTTP {status}" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hf_other" not in done.stderr + done.stdout


def test_a_token_opens_the_gate(hub: FakeHub, tmp_path: Path) -> None:
    hub.token = "hf_right"
    done = run(hub, "answers", to=tmp_path / "data", HF_TOKEN="hf_right")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_refusal_is_told_even_where_an_older_download_lies(hub: FakeHub, tmp_path: Path) -> None:
    assert run(hub, "answers", to=tmp_path / "data").returncode == 0
    hub.token, hub.gate_listing = "hf_right", True
    done = run(hub, "testbed", to=tmp_path / "data")
    assert done.returncode == 2
    assert "HF_TOKEN" in done.stderr


@pytest.mark.slow
def test_a_broken_off_file_goes_on_where_it_stopped(hub: FakeHub, tmp_path: Path) -> None:
    hub.files[PET] = bytes(range(256)) * 50_000
    hub.cut_after = 11 * 2**20
    done = run(hub, "testbed", "--domain", "animal", to=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / PET).read_bytes() == hub.files[PET]
    assert [sent for sent in hub.fetched(PET) if sent] == [f"bytes={10 * 2**20}-"]  # the client writes 10 MiB at a time


@pytest.mark.slow
def test_a_fetch_that_failed_half_way_asks_only_for_the_rest_the_next_time(hub: FakeHub, tmp_path: Path) -> None:
    hub.failing = SPORT
    done = run(hub, "testbed", to=tmp_path / "data")
    assert done.returncode == 1
    assert "run the same command again" in done.stderr
    assert (tmp_path / "data" / PET).is_file()
    hub.failing = ""
    hub.requests.clear()
    assert run(hub, "testbed", to=tmp_path / "data").returncode == 0
    assert len(hub.fetched(SPORT)) == 1
    assert hub.fetched(PET) == []


def test_without_the_server_the_error_is_clear_and_the_exit_code_is_not_zero(hub: FakeHub, tmp_path: Path) -> None:
    done = run(hub, "testbed", to=tmp_path / "data", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "run the same command again" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_offline_mode_is_named(hub: FakeHub, tmp_path: Path) -> None:
    done = run(hub, "testbed", to=tmp_path / "data", HF_HUB_OFFLINE="1")
    assert done.returncode == 2
    assert "HF_HUB_OFFLINE" in done.stderr


@pytest.mark.slow
def test_a_repository_that_is_gone_is_said_to_be(hub: FakeHub, tmp_path: Path) -> None:
    hub.status = 404
    done = run(hub, "testbed", to=tmp_path / "data")
    assert done.returncode == 2
    assert "not found" in done.stderr


@pytest.mark.slow
def test_a_repository_without_the_testbed_is_an_error(hub: FakeHub, tmp_path: Path) -> None:
    hub.files = {"README.md": b"read me"}
    done = run(hub, "testbed", to=tmp_path / "data")
    assert done.returncode == 2
    assert "layout" in done.stderr


def test_frames_in_an_archive_are_unpacked(hub: FakeHub, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(PET, b"pet")
    hub.files = {QUESTIONS: b"[]", "egocross_testbed_frames.zip": buffer.getvalue()}
    done = run(hub, "testbed", to=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / PET).read_bytes() == b"pet"
    assert "1 file unpacked" in done.stdout


@pytest.mark.slow
def test_the_support_set_comes_from_modelscope(hub: FakeHub, tmp_path: Path) -> None:
    pytest.importorskip("modelscope")
    frame = "frames/EgoPet/022/frames/ai_q5/frame_0.jpg"
    hub.files = {"train.json": b"[]", frame: b"pet", "frames/ENIGMA/111/frames/nip_q2/111_1.jpg": b"x"}
    done = run(hub, "support", "--domain", "animal", to=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / "egocross_support_set" / frame).read_bytes() == b"pet"
    assert not (tmp_path / "data" / "egocross_support_set" / "frames" / "ENIGMA").exists()
    assert "--split support" in done.stdout


@pytest.mark.slow
def test_a_checkpoint_comes_from_modelscope_into_a_folder_of_its_name(hub: FakeHub, tmp_path: Path) -> None:
    pytest.importorskip("modelscope")
    hub.files = {"config.json": b"{}", "model.safetensors": b"weights"}
    done = run(hub, "checkpoints", "--domain", "surgery", to=tmp_path / "models")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "models" / "EgoCross_sft_qwen3vl4B_surgery" / "model.safetensors").read_bytes() == b"weights"


def test_a_missing_modelscope_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "modelscope.hub.snapshot_download", None)
    with pytest.raises(MissingExtraError, match=r"\.\[modelscope\]"):
        fetch("checkpoints", tmp_path)


def test_without_modelscope_the_support_set_comes_from_the_testbeds_repository(hub: FakeHub, tmp_path: Path) -> None:
    pet, board = (f"EgoCross_support_set/frames/{name}" for name in ("EgoPet/1.jpg", "ENIGMA/1.jpg"))
    hub.files |= {"EgoCross_support_set/train.json": b"[]", pet: b"pet", board: b"board"}
    hidden = "import importlib.util as u; f = u.find_spec\nu.find_spec = lambda n: f(n) if n != 'modelscope' else None"
    done = run(hub, "support", "--domain", "animal", to=tmp_path / "data", before=hidden)
    assert done.returncode == 0, done.stderr
    assert files_below(tmp_path / "data") == {"EgoCross_support_set/train.json", pet}


def test_names_and_domains_are_checked_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'answers'"):
        fetch("answer", tmp_path)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="did you mean 'animal'"):
        fetch("support", tmp_path, domain="animals")
    with pytest.raises(UsageError, match="--domain"):
        fetch("answers", tmp_path, domain="animal")


def test_a_disk_that_is_too_small_is_noticed_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"1000000\.0 GB are to be fetched"):
        module._check_space(tmp_path, {"a.jpg": 10**15})
