"""Merging an adapter, with the export of LLaMA-Factory stood in for: what is left however it ends."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from training_files import training_card, write_base

from egocross_eval.errors import RunError, UsageError
from egocross_eval.training import merging
from egocross_eval.training.card import read_card
from egocross_eval.training.card_files import write_card
from egocross_eval.training.environment import TrainingEnvironment

ENVIRONMENT = TrainingEnvironment(python=Path("/env/bin/python"), origin="named", versions={})


@pytest.fixture
def adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An adapter whose card names a base in a folder."""
    base = write_base(tmp_path / "base")
    (base / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}", encoding="utf-8")
    write_card(folder, training_card(base=str(base)))
    monkeypatch.setattr(merging, "ask", lambda environment, job, payload: None)
    return folder


def exporting(command: list[str], **rest: Any) -> None:
    """Writes what an export writes, with another chat template."""
    config = yaml.safe_load(Path(command[-1]).read_text(encoding="utf-8"))
    made = Path(config["export_dir"])
    shutil.copytree(config["model_name_or_path"], made)
    (made / "chat_template.jinja").write_text("another", encoding="utf-8")


def killed(command: list[str], **rest: Any) -> None:
    """As `exporting`, but ended before the weights are written."""
    exporting(command)
    raise RunError("killed")


def test_a_merged_checkpoint_is_put_right_and_has_the_card(
    adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "run", exporting)
    said: list[str] = []
    merged = merging.merge(adapter, tmp_path / "merged", ENVIRONMENT, say=said.append)
    assert (merged / "chat_template.jinja").read_text(encoding="utf-8") == "{{ messages }}"
    assert said == ["chat template: it differs from the base's; put right from the base"]
    card = read_card(merged)
    assert card is not None
    assert card.kind == "merged"
    assert json.loads((merged / "config.json").read_text(encoding="utf-8"))["model_type"] == "qwen3_vl"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "base", "merged"]


def test_a_merge_that_is_killed_leaves_no_half_checkpoint_and_goes_on_by_the_same_command(
    adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "run", killed)
    with pytest.raises(RunError):
        merging.merge(adapter, tmp_path / "merged", ENVIRONMENT)
    assert not (tmp_path / "merged").exists()
    monkeypatch.setattr(merging, "run", exporting)
    assert (merging.merge(adapter, tmp_path / "merged", ENVIRONMENT) / "config.json").is_file()


def test_a_mount_point_is_refused_before_anything_is_exported(
    adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every user may mount, so the system's answer is stood in for."""
    (tmp_path / "merged").mkdir()
    remove = os.rmdir

    def rmdir(path: str | Path, **rest: Any) -> None:
        if Path(path).name == "merged":
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))
        remove(path, **rest)

    monkeypatch.setattr(os, "rmdir", rmdir)
    monkeypatch.setattr(merging, "run", exporting)
    with pytest.raises(
        UsageError, match=r"merged: it can't be replaced \(.*busy\), as a mount point can't; name a folder below it"
    ):
        merging.merge(adapter, tmp_path / "merged", ENVIRONMENT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "base", "merged"]
    merged = merging.merge(adapter, tmp_path / "merged" / "below", ENVIRONMENT)
    assert (merged / "config.json").is_file()


def test_a_folder_of_the_users_own_is_never_worked_in(adapter: Path, tmp_path: Path) -> None:
    mine = tmp_path / "merged.export" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="is in the way"):
        merging.merge(adapter, tmp_path / "merged", ENVIRONMENT)
    assert mine.read_text(encoding="utf-8") == "mine"
