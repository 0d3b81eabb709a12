"""Downloads the benchmark's parts from where their authors put them: Hugging Face and ModelScope.

The support set is in both places: it's taken from ModelScope where that client is installed.

Both clients resume what was broken off and show their progress. Tokens are left to the clients' own environment
variables and login files; this module neither reads nor stores them.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from egocross_eval.counted import agreed, counted
from egocross_eval.errors import EgoCrossError, MissingExtraError, UsageError, unknown
from egocross_eval.reachable import reachable
from egocross_eval.tasks.egocross import layout
from egocross_eval.tasks.egocross.archives import is_archive, unpack
from egocross_eval.tasks.egocross.catalogue import DATASET_DOMAINS, DOMAINS

if TYPE_CHECKING:
    from collections.abc import Sequence

Part = Literal["testbed", "answers", "support", "checkpoints"]

PARTS: tuple[Part, ...] = ("testbed", "answers", "support", "checkpoints")

TESTBED_REPO = "myuniverse/EgoCross"
TESTBED_URL = f"https://huggingface.co/datasets/{TESTBED_REPO}"
TOKEN_VARIABLE = "HF_TOKEN"  # noqa: S105 - a name, no token
SUPPORT_FOLDER = "EgoCross_support_set"
"""The support set's folder in the repository of the testbed."""
SUPPORT_REPO = "YuLi2024/EgoCross_support_set"
CHECKPOINT_REPO = "YuLi2024/EgoCross_sft_qwen3vl4B_{domain}"

_AGAIN = "What was fetched is kept: run the same command again"


class FetchError(EgoCrossError):
    """A download failed for a reason that trying again, or later, may mend."""


class FetchSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was fetched."""

    part: Part
    folder: Path
    """Where the files are."""
    files: int
    bytes: int
    unpacked: int
    """Files written out of archives."""


def fetch(part: Part, to: Path, *, domain: str | None = None) -> list[FetchSummary]:
    """Downloads one part of the benchmark into `to`, which becomes a data root (or the folder of the checkpoints).

    `domain` fetches that domain's frames or checkpoint only. What is there already isn't fetched again.
    Raises `UsageError` where access must be asked for or a client isn't installed, `FetchError` if the network fails.
    """
    if part not in PARTS:
        raise unknown("part", part, PARTS)
    if domain is not None and domain not in DOMAINS:
        raise unknown("domain", domain, DOMAINS)
    if part == "answers" and domain is not None:
        raise UsageError("the answers are one file for all domains; leave out --domain")
    to.mkdir(parents=True, exist_ok=True)
    if part in ("testbed", "answers"):
        return [_from_hugging_face(part, to, domain)]
    if part == "support":
        # The same files; ModelScope asks nobody for access.
        by = _support if importlib.util.find_spec("modelscope") else _from_hugging_face
        return [by("support", to, domain)]
    domains = DOMAINS if domain is None else (domain,)
    return [_checkpoint(to, name) for name in domains]


def _datasets(domain: str | None) -> list[str]:
    return [dataset for dataset, of in DATASET_DOMAINS.items() if domain in (None, of)]


def _patterns(part: Part, domain: str | None) -> list[str]:
    """Names of a part's files in the benchmark's own repository."""
    if part == "answers":
        return [f"{layout.TESTBED_FOLDER}/{layout.ANSWERS_NAME}", layout.ANSWERS_NAME]
    folder = SUPPORT_FOLDER if part == "support" else layout.TESTBED_FOLDER
    if domain is None:
        return [f"{folder}*"]
    frames = f"{folder}/frames" if part == "support" else folder
    return [f"{folder}*.json", *(f"{frames}/{dataset}*" for dataset in _datasets(domain))]


def _from_hugging_face(part: Part, to: Path, domain: str | None) -> FetchSummary:
    from fnmatch import fnmatchcase

    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.hf_api import RepoFile

    patterns = _patterns(part, domain)
    api = HfApi()
    # The snapshot function makes do with an old local folder when the hub refuses or can't be reached. Asking for the
    # commit first lets the error through, and the listing tells how much is to come.
    try:
        commit = api.repo_info(TESTBED_REPO, repo_type="dataset").sha
        listed = api.list_repo_tree(TESTBED_REPO, repo_type="dataset", revision=commit, recursive=True)
        sizes = {
            entry.path: entry.size
            for entry in listed
            if isinstance(entry, RepoFile) and any(fnmatchcase(entry.path, pattern) for pattern in patterns)
        }
        if not sizes:
            raise UsageError(f"{TESTBED_URL} has no file like {' or '.join(patterns)}; did its layout change?")
        _check_space(to, sizes)
        snapshot_download(
            TESTBED_REPO,
            repo_type="dataset",
            revision=commit,
            local_dir=to,
            allow_patterns=patterns,
        )
    except Exception as error:  # the client lets errors of its HTTP library through as well as its own
        raise _explain_hugging_face(error) from error
    lost = [name for name, size in sizes.items() if not (to / name).is_file() or (to / name).stat().st_size != size]
    if lost:
        raise FetchError(
            f"{len(lost)} of {counted(len(sizes), 'file')} {agreed(len(lost), 'is', 'are')} not complete (the "
            f"first: {lost[0]}); fetch again"
        )
    files = [to / name for name in sizes]
    return FetchSummary(
        part=part,
        folder=to,
        files=len(files),
        bytes=sum(sizes.values()),
        unpacked=_unpack_all(files, to, SUPPORT_FOLDER if part == "support" else layout.TESTBED_FOLDER),
    )


def _check_space(to: Path, sizes: dict[str, int]) -> None:
    needed = sum(size for name, size in sizes.items() if not (to / name).is_file())
    free = shutil.disk_usage(to).free
    if needed > free:
        raise UsageError(f"{needed / 1e9:.1f} GB are to be fetched, but {to} has {free / 1e9:.1f} GB left")


def _unpack_all(files: Sequence[Path], root: Path, own_folder: str) -> int:
    return sum(unpack(path, root, own_folder=own_folder) for path in sorted(files) if is_archive(path))


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what it was raised from."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain


def _status(chain: Sequence[BaseException]) -> int | None:
    """HTTP status of the first error that carries a response."""
    for error in chain:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(status, int):
            return status
    return None


def _explain_hugging_face(error: Exception) -> EgoCrossError:
    """The client's error as one that says what to do."""
    from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled

    if isinstance(error, EgoCrossError):
        return error
    chain = _causes(error)
    if any(isinstance(entry, OfflineModeIsEnabled) for entry in chain):
        return UsageError(f"HF_HUB_OFFLINE is set, so {TESTBED_REPO} can't be fetched; unset it and try again")
    status = _status(chain)
    if status in (401, 403) or any(isinstance(entry, GatedRepoError) for entry in chain):
        return UsageError(
            f"access to {TESTBED_REPO} was refused (HTTP {status}): it is a gated dataset. Ask for access at "
            f"{TESTBED_URL}, then set {TOKEN_VARIABLE} to a token with read rights "
            "(https://huggingface.co/settings/tokens) and try again"
        )
    if status == 404:
        return UsageError(f"{TESTBED_URL} was not found (HTTP 404); was it moved or renamed?")
    return FetchError(f"fetching {TESTBED_REPO} failed: {_line(error)}. {_AGAIN}")


def _line(error: Exception) -> str:
    """The first line of an error's text, with its type."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def _support(part: Part, to: Path, domain: str | None) -> FetchSummary:
    folder = to / layout.SUPPORT_FOLDER
    patterns = None
    if domain is not None:
        frames = [f"frames/{dataset}/*" for dataset in _datasets(domain)]
        patterns = ["*.json", *frames]
    files = _from_modelscope(SUPPORT_REPO, folder, "dataset", patterns)
    unpacked = _unpack_all(files, to, layout.SUPPORT_FOLDER)
    if not any(folder.glob("train*.json")):
        raise FetchError(
            f"{SUPPORT_REPO} was fetched into {folder}, but without {layout.SUPPORT_NAME}; did its layout change?"
        )
    return _summary(part, folder, files, unpacked)


def _checkpoint(to: Path, domain: str) -> FetchSummary:
    name = CHECKPOINT_REPO.format(domain=domain)
    folder = to / name.partition("/")[2]
    return _summary("checkpoints", folder, _from_modelscope(name, folder, "model", None), 0)


def _summary(part: Part, folder: Path, files: Sequence[Path], unpacked: int) -> FetchSummary:
    size = sum(path.stat().st_size for path in files)
    return FetchSummary(part=part, folder=folder, files=len(files), bytes=size, unpacked=unpacked)


def _from_modelscope(
    name: str, folder: Path, kind: Literal["dataset", "model"], patterns: list[str] | None
) -> list[Path]:
    """Downloads a repository into `folder` and lists the files that are now there, the client's own folders apart."""
    try:
        from modelscope.hub.snapshot_download import dataset_snapshot_download, snapshot_download
    except ImportError as error:
        raise MissingExtraError("modelscope", "modelscope") from error
    if not reachable(_modelscope_address()):
        raise FetchError(f"fetching {name} failed: {_modelscope_address()} can't be reached. {_AGAIN}")
    try:
        if kind == "dataset":
            dataset_snapshot_download(name, local_dir=str(folder), allow_patterns=patterns)
        else:
            snapshot_download(name, local_dir=str(folder), allow_patterns=patterns)
    except Exception as error:  # the client lets errors of its HTTP library through as well as its own
        raise _explain_modelscope(name, kind, error) from error
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def _modelscope_address() -> str:
    """Where the client asks."""
    domain = os.environ.get("MODELSCOPE_DOMAIN")
    return os.environ.get("MODELSCOPE_ENDPOINT") or (f"https://{domain}" if domain else "https://modelscope.cn")


def _explain_modelscope(name: str, kind: str, error: Exception) -> EgoCrossError:
    """The client's error as one that says what to do."""
    url = f"https://modelscope.cn/{kind}s/{name}"
    chain = _causes(error)
    status = _status(chain) or next((s for e in chain if isinstance(s := getattr(e, "status_code", None), int)), None)
    if status in (401, 403):
        return UsageError(
            f"access to {name} was refused (HTTP {status}); see {url}, and set MODELSCOPE_API_TOKEN if it wants a login"
        )
    if status == 404 or any(type(entry).__name__ == "NotExistError" for entry in chain):
        return UsageError(f"{url} was not found; was it moved or renamed?")
    return FetchError(f"fetching {name} from ModelScope failed: {_line(error)}. {_AGAIN}")
