"""A site is published after a look at what is in it, and never with answers or frames unless asked for."""

from __future__ import annotations

import base64
import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from calling import call

from egocross_eval.errors import UsageError
from egocross_eval.leaderboard.site.publish import check_place

pytest.importorskip("vl_convert")


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> Path:
    path = tmp_path_factory.mktemp("runs") / "run"
    words = ("--model", "baseline:longest", "--data", demo, "--limit", "8", "--output", path)
    assert call(*words) == 0
    return path


@pytest.fixture
def site(run_folder: Path, tmp_path: Path) -> Path:
    assert call("site", run_folder, "--no-answers", "--output", tmp_path / "site") == 0
    return tmp_path / "site"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Somebody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "somebody@example.org")
    path = tmp_path / "board.git"
    git(tmp_path, "init", "--quiet", "--bare", str(path))
    return path


def test_without_yes_it_only_says_what_it_would_do(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("site", "publish", site, "--to", f"folder:{tmp_path / 'public'}") == 0
    assert not (tmp_path / "public").exists()
    said = capsys.readouterr().out
    assert "nothing of what is right and no frames" in said
    assert "the same line with --yes" in said


def test_a_folder_gets_the_site_and_an_older_site_there_is_replaced(site: Path, tmp_path: Path) -> None:
    public = tmp_path / "public"
    for _ in range(2):
        assert call("site", "publish", site, "--to", f"folder:{public}", "--yes") == 0
        assert (public / "index.html").read_bytes() == (site / "index.html").read_bytes()
        (public / "data" / "old.js").touch()
    assert call("site", "publish", site, "--to", f"folder:{public}", "--yes") == 0
    assert not (public / "data" / "old.js").exists()


def test_a_folder_with_something_else_is_left_alone(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    assert call("site", "publish", site, "--to", f"folder:{tmp_path / 'mine'}", "--yes") == 2
    error = capsys.readouterr().err
    assert "isn't empty and holds no site" in error
    assert "egocross-eval site RUNS" not in error
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"


def test_what_lies_beside_an_older_site_is_left_alone(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("site", "publish", site, "--to", f"folder:{tmp_path / 'public'}", "--yes")
    assert call(*words) == 0
    (tmp_path / "public" / "thesis.tex").write_text("years of work")
    assert call(*words) == 2
    assert "holds thesis.tex" in capsys.readouterr().err
    assert (tmp_path / "public" / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize("yes", [(), ("--yes",)])
@pytest.mark.parametrize("target", ["site", "site/../site", "link", "site/public", "."])
def test_a_site_is_not_published_onto_itself(
    target: str, yes: tuple[str, ...], site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to("site")
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="is the site itself, or one lies in the other"):
        check_place(Path("site"), "folder", target)
    assert call("site", "publish", "site", "--to", f"folder:{target}", *yes) == 2
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before


def test_an_older_site_stays_until_the_whole_new_one_is_there(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("site", "publish", site, "--to", f"folder:{tmp_path / 'public'}", "--yes")
    assert call(*words) == 0
    copied: list[object] = []

    def fill_the_disk(source: Path, target: Path) -> None:
        copied.append(target)
        if len(copied) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        Path(target).write_bytes(Path(source).read_bytes())

    monkeypatch.setattr("egocross_eval.leaderboard.site.publish.shutil.copyfile", fill_the_disk)
    assert call(*words) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert (tmp_path / "public" / "index.html").read_bytes() == (site / "index.html").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["public", "site"]


def test_a_file_is_no_place_for_a_site(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "note").write_text("mine")
    assert call("site", "publish", site, "--to", f"folder:{tmp_path / 'note'}", "--yes") == 2
    assert "is no folder" in capsys.readouterr().err
    assert (tmp_path / "note").read_text() == "mine"


@pytest.mark.parametrize(
    ("made", "flag", "said"), [((), "--answers", "shows what is right"), (("--frames",), "--frames", "thumbnails")]
)
def test_answers_and_frames_are_published_only_when_asked_for(
    made: tuple[str, ...],
    flag: str,
    said: str,
    run_folder: Path,
    demo: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = ("--data", demo, "--no-answers") if made else ()
    assert call("site", run_folder, *made, *data, "--output", tmp_path / "full") == 0
    words = ("site", "publish", tmp_path / "full", "--to", f"folder:{tmp_path / 'public'}", "--yes")
    capsys.readouterr()
    assert call(*words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert flag in error
    assert not (tmp_path / "public").exists()
    assert call(*words, flag) == 0
    assert (tmp_path / "public" / "index.html").is_file()


def test_a_link_in_a_site_is_refused(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_text("key")
    (site / "assets" / "more.js").symlink_to(tmp_path / "secret")
    assert call("site", "publish", site, "--to", f"folder:{tmp_path / 'public'}", "--yes") == 2
    assert "is a link" in capsys.readouterr().err


def test_a_repository_gets_the_site_on_its_pages_branch(
    site: Path, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("site", "publish", site, "--to", f"github-pages:{repository}", "--yes")
    assert call(*words) == 0
    names = git(repository, "ls-tree", "-r", "--name-only", "gh-pages").split()
    assert {"index.html", ".nojekyll"} <= set(names)
    assert "egocross-site.json" not in names
    assert call(*words) == 0
    assert "already" in capsys.readouterr().out
    assert len(git(repository, "log", "--oneline", "gh-pages").splitlines()) == 1
    (site / "data" / "more.js").write_text("x")
    assert call(*words) == 0
    assert len(git(repository, "log", "--oneline", "gh-pages").splitlines()) == 2


def test_a_repository_out_of_reach_is_named_in_gits_words(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("site", "publish", site, "--to", f"github-pages:{tmp_path / 'nothing.git'}", "--yes") == 2
    assert "git ls-remote failed" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["ftp:x", "folder", "folder:", "hf-spaces:a/b"])
def test_a_place_that_is_none_is_refused(where: str, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("site", "publish", site, "--to", where) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("address", ["https://me:tok-123@example.org/x/y", "https://tok-123@example.org/x/y"])
def test_an_address_with_a_key_in_it_is_refused_and_not_printed(
    address: str, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("site", "publish", site, "--to", f"github-pages:{address}") == 2
    printed = capsys.readouterr()
    assert "an address with a user or token in it" in printed.err
    assert "tok-123" not in printed.out + printed.err


def test_an_address_that_cannot_be_read_is_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("site", "publish", site, "--to", "github-pages:https://[x") == 2
    assert "--to: 'https://[x' is no address" in capsys.readouterr().err


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as an upload of small files needs."""

    committed: dict[str, bytes]
    signed_in = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Silent."""

    def _reply(self, value: object, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        if "whoami" in self.path:
            self._reply({"type": "user", "name": "somebody", "orgs": [], "auth": {}})
        elif "/tree/" in self.path or "/revision/" in self.path or "/api/spaces/" in self.path:
            listing = "/tree/" in self.path
            self._reply([] if listing else {"id": "somebody/board", "sha": "0" * 40, "siblings": [], "private": False})
        else:
            self._reply({}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/repos/create"):
            self._reply({"url": f"http://{self.headers['Host']}/spaces/somebody/board", "id": "somebody/board"})
        elif self.path.endswith("/validate-yaml"):
            self._reply({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            modes = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in files]
            self._reply({"files": modes})
        elif "/commit/" in self.path:
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    self.committed[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            address = f"http://{self.headers['Host']}/spaces/somebody/board/commit/{'1' * 40}"
            self._reply({"commitUrl": address, "commitOid": "1" * 40, "pullRequestUrl": None})
        else:
            self._reply({}, 404)


@pytest.fixture
def hub() -> Iterator[tuple[str, dict[str, bytes]]]:
    committed: dict[str, bytes] = {}
    handler = type("ThisHub", (Hub,), {"committed": committed})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", committed
    server.shutdown()


def publish_to_hub(site: Path, url: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the Hub's client reads its settings when it's imported."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
    settings = {**kept, "HOME": str(home), "HF_HOME": str(home / "hf"), "HF_ENDPOINT": url, "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-m", "egocross_eval", "site", "publish", str(site), "--to", "hf-space:somebody/board"]
    return subprocess.run(
        [*command, "--yes"], env={**settings, **more}, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
def test_a_space_gets_the_site(site: Path, hub: tuple[str, dict[str, bytes]], tmp_path: Path) -> None:
    url, committed = hub
    done = publish_to_hub(site, url, tmp_path, HF_TOKEN="hf_0123456789", HF_HUB_DISABLE_XET="1")
    assert done.returncode == 0, done.stderr
    assert committed["index.html"] == (site / "index.html").read_bytes()
    assert b"sdk: static" in committed["README.md"]
    assert "hf_0123456789" not in done.stdout + done.stderr


@pytest.mark.slow
def test_somebody_who_is_not_signed_in_is_told_how(
    site: Path, hub: tuple[str, dict[str, bytes]], tmp_path: Path
) -> None:
    done = publish_to_hub(site, hub[0], tmp_path)
    assert done.returncode == 2
    assert "hf auth login" in done.stderr
    assert hub[1] == {}
