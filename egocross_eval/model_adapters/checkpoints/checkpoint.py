"""Where a checkpoint lies and what its small files say, read without importing torch or transformers."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

from egocross_eval.documents import read_json
from egocross_eval.errors import UsageError
from egocross_eval.reachable import reachable

_PATH_STARTS = (".", "/", "~", "\\")


class Checkpoint:
    """A local folder, or the name of a model on the Hugging Face Hub.

    Raises UsageError where `target` is a path that leads nowhere or to a folder without a `config.json`. A target
    counts as a path when it begins like one (`./ckpt`, `/models/x`, `~/x`), exists, or has more than one slash;
    anything else is a name on the Hub, which is not contacted before one of its files is asked for.
    """

    def __init__(self, target: str, revision: str | None = None, *, scheme: str = "hf") -> None:
        if not target:
            raise UsageError(
                f"{scheme}: names no model; write {scheme}:PATH or {scheme}:NAME, e.g. "
                f"{scheme}:Qwen/Qwen3-VL-4B-Instruct"
            )
        self.target = target
        self.spec = f"{scheme}:{target}"
        self.revision = revision
        self.folder = _local_folder(target, self.spec)
        if self.folder is None:
            return
        if revision is not None:
            raise UsageError(f"{self.spec}: revision={revision} only applies to names on the Hub, and this is a folder")
        if not (self.folder / "config.json").is_file():
            raise UsageError(f"{self.spec}: the folder {self.folder} has no config.json, so it is no model checkpoint")

    @property
    def source(self) -> str:
        """What `from_pretrained` takes: the absolute folder, or the name."""
        return str(self.folder) if self.folder is not None else self.target

    def file(self, name: str) -> Path | None:
        """Path of one of the checkpoint's files, or None if it has none of that name; fetched from the Hub if need be.

        Raises UsageError where the Hub doesn't know the model, doesn't give access, or can't be reached.
        """
        if self.folder is not None:
            path = self.folder / name
            return path if path.is_file() else None
        return _hub_file(self.target, name, self.revision, self.spec, offline=self.offline)

    @functools.cached_property
    def offline(self) -> bool:
        """Whether it's a model on the Hub that can come from the local cache alone."""
        from huggingface_hub import constants

        return self.folder is None and not reachable(constants.ENDPOINT)

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        """The content of `config.json`."""
        return self._json("config.json") or {}

    @functools.cached_property
    def commit(self) -> str | None:
        """Commit of a model on the Hub, as the local cache has it; None for a folder."""
        if self.folder is not None:
            return None
        path = self.file("config.json")
        return path.parent.name if path is not None else None

    @functools.cached_property
    def takes_video(self) -> bool:
        """Whether its processor has a part for videos."""
        if self.file("video_preprocessor_config.json") is not None:
            return True
        if "video_processor" in (self._json("processor_config.json") or {}):
            return True
        return any(self.config.get(key) is not None for key in ("video_token_id", "video_token_index"))

    def _json(self, name: str) -> dict[str, Any] | None:
        path = self.file(name)
        if path is None:
            return None
        return read_json(path, dict[str, Any], what=f"{self.spec}:")


def _local_folder(target: str, spec: str) -> Path | None:
    """The absolute folder that `target` means, or None for a name on the Hub."""
    path = Path(target).expanduser()
    if path.is_dir():
        return path.resolve()
    if path.exists():
        raise UsageError(f"{spec}: {path} is a file; name the folder of the checkpoint")
    if target.startswith(_PATH_STARTS) or target.endswith("/") or target.count("/") > 1 or os.sep * 2 in target:
        raise UsageError(f"{spec}: there is no folder {path.absolute()}")
    return None


def _hub_file(name: str, filename: str, revision: str | None, spec: str, *, offline: bool) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return Path(hf_hub_download(name, filename, revision=revision, local_files_only=offline))
    except LocalEntryNotFoundError as error:
        if filename != "config.json" and _hub_file(name, "config.json", revision, spec, offline=offline) is not None:
            return None  # offline, and the cached model lacks the file
        raise UsageError(
            f"{spec}: the Hub can't be reached and the model is not in the local cache; "
            f"there is no folder of that name here either"
        ) from error
    except EntryNotFoundError:
        return None
    except GatedRepoError as error:
        raise UsageError(
            f"{spec}: access must be asked for at https://huggingface.co/{name}; then set HF_TOKEN"
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        where = f" at revision {revision}" if revision else ""
        raise UsageError(
            f"{spec}: no folder of that name here, and no such model on the Hub{where} (private ones need HF_TOKEN)"
        ) from error
    except OSError as error:
        raise UsageError(f"{spec}: the Hub can't be reached: {error}") from error
