"""What the adapters use of vLLM is in the oldest and newest declared release: read in wheels, few bytes of each.

Where the index isn't there, or too slow, they are skipped.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import json
import re
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path

import pytest

from egocross_eval.model_adapters.vllm.extras import older
from egocross_eval.model_adapters.vllm.served_lora import TELLS_PATTERNS

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[3]
OURS = PROJECT / "egocross_eval" / "model_adapters" / "vllm"


@contextlib.contextmanager
def asked(request: urllib.request.Request) -> Iterator[HTTPResponse]:
    """A server's reply to be read; without one the test is skipped."""
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            yield reply
    except (OSError, HTTPException) as error:
        pytest.skip(f"the wheel can't be read: {error}")


class RemoteFile(io.RawIOBase):
    """A file on a server, read by ranges."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._place = 0
        with asked(urllib.request.Request(url, method="HEAD")) as reply:
            self._size = int(reply.headers.get("Content-Length") or 0)
        if not self._size:
            pytest.skip("the index doesn't say how large the wheel is")

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = (0, self._place, self._size)[whence] + offset
        return self._place

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._size - self._place)
        if wanted <= 0:
            return 0
        ranges = {"Range": f"bytes={self._place}-{self._place + wanted - 1}"}
        with asked(urllib.request.Request(self._url, headers=ranges)) as reply:
            if reply.status != HTTPStatus.PARTIAL_CONTENT:
                pytest.skip("the index gives no parts of files")
            data = reply.read(wanted)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


def declared() -> str:
    """The oldest release of vLLM that the project takes."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    found = [re.fullmatch(r"vllm>=([\d.]+)", one) for one in project["project"]["optional-dependencies"]["vllm"]]
    return next(match.group(1) for match in found if match)


@pytest.fixture(scope="module", params=["oldest", "newest"])
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """vLLM's wheel of the oldest declared release, and of the newest one there is."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this environment has no pip to ask where wheels are; 'make test-vllm' runs this")
    report = tmp_path_factory.mktemp("wheel") / "report.json"
    name = f"vllm=={declared()}.*" if request.param == "oldest" else "vllm"
    options = ["--dry-run", "--no-deps", "--ignore-installed", "--quiet", "--report", str(report)]
    command = [sys.executable, "-m", "pip", "install", *options, name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip("the index is too slow")
    if done.returncode != 0:
        pytest.skip(f"no index to ask: {done.stderr.strip()[-200:]}")
    url = json.loads(report.read_text(encoding="utf-8"))["install"][0]["download_info"]["url"]
    return zipfile.ZipFile(io.BufferedReader(RemoteFile(url), 2**20))  # type: ignore[type-var]


def module(wheel: zipfile.ZipFile, name: str) -> ast.Module:
    path = name.replace(".", "/")
    found = next(one for one in (f"{path}.py", f"{path}/__init__.py") if one in wheel.namelist())
    return ast.parse(wheel.read(found))


def used() -> set[tuple[str, str]]:
    """Each (module, name) that the adapters import from vLLM."""
    found = set()
    for path in OURS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "vllm":
                found |= {(node.module or "", alias.name) for alias in node.names}
    return found


def names(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def test_everything_that_is_imported_from_vllm_is_there(wheel: zipfile.ZipFile) -> None:
    assert len(used()) > 10
    lost = [f"{where}.{name}" for where, name in used() if name not in names(module(wheel, where))]
    assert not lost, f"{wheel.filename}: {lost}"


def test_the_engine_has_batch_sizes_of_its_own_for_our_kind_of_use(wheel: zipfile.ZipFile) -> None:
    [asked] = re.findall(r"UsageContext\.(\w+)", (OURS / "engine" / "engine.py").read_text(encoding="utf-8"))
    defaults = next(
        node
        for node in ast.walk(module(wheel, "vllm.engine.arg_utils"))
        if isinstance(node, ast.FunctionDef) and node.name == "get_batch_defaults"
    )
    keys = [key for node in ast.walk(defaults) if isinstance(node, ast.Dict) for key in node.keys]
    assert asked in {key.attr for key in keys if isinstance(key, ast.Attribute)}


def test_letters_can_be_scored_by_their_token_ids(wheel: zipfile.ZipFile) -> None:
    settings = next(
        node
        for node in ast.walk(module(wheel, "vllm.sampling_params"))
        if isinstance(node, ast.ClassDef) and node.name == "SamplingParams"
    )
    fields = {
        node.target.id
        for node in settings.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assert {"logprob_token_ids", "structured_outputs", "output_kind"} <= fields


@pytest.mark.parametrize(
    ("where", "kind", "name"),
    [
        ("vllm.multimodal.registry", "MultiModalRegistry", "get_processing_info"),
        ("vllm.multimodal.processing.context", "BaseProcessingInfo", "supported_mm_limits"),
        ("vllm.config.parallel", "ParallelConfig", "local_engines_only"),
        ("vllm.model_executor.models.registry", "_LazyRegisteredModel", "load_model_cls"),
    ],
)
def test_what_is_asked_of_vllms_objects_is_there(wheel: zipfile.ZipFile, where: str, kind: str, name: str) -> None:
    found = next(
        node for node in ast.walk(module(wheel, where)) if isinstance(node, ast.ClassDef) and node.name == kind
    )
    assert name in {node.name for node in found.body if isinstance(node, ast.FunctionDef)}


def test_ranks_and_factors_of_single_modules_are_heeded_from_the_release_on_that_we_say(
    wheel: zipfile.ZipFile, request: pytest.FixtureRequest
) -> None:
    helper = next(
        node
        for node in ast.walk(module(wheel, "vllm.lora.peft_helper"))
        if isinstance(node, ast.ClassDef) and node.name == "PEFTHelper"
    )
    fields = {ast.unparse(node.target) for node in helper.body if isinstance(node, ast.AnnAssign)}
    old = "oldest" in request.node.name and older(declared(), TELLS_PATTERNS)
    assert ({"rank_pattern", "alpha_pattern"} <= fields) != old


def test_a_request_can_name_its_replica(wheel: zipfile.ZipFile) -> None:
    asks = [
        node
        for node in ast.walk(module(wheel, "vllm.v1.engine.async_llm"))
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "generate"
    ]
    assert "data_parallel_rank" in {argument.arg for node in asks for argument in node.args.args + node.args.kwonlyargs}
