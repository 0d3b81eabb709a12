"""The Ray cluster: one of our own, or one that runs already."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.errors import MissingExtraError, RunError, UsageError
from egocross_eval.model_adapters.ray.options import RayOptions

PATIENCE = 30.0
"""Seconds after which an address that doesn't answer is given up."""

CURRENT = Path("/tmp/ray/ray_current_cluster")  # noqa: S108 - where Ray notes the cluster that `ray start` made
TOKEN = Path.home() / ".ray" / "auth_token"
_HEALTH = (sys.executable, "-m", "ray.scripts.scripts", "health-check")


_FOLDERS = "ego-ray-"
"""How the names of our clusters' folders begin; the driver's number follows."""


class NodeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A node that is alive."""

    name: str
    cpus: float
    gpus: float

    @property
    def text(self) -> str:
        """E.g. `node7 (16 processors, 4 GPUs)`."""
        return f"{self.name} ({self.cpus:g} processors, {self.gpus:g} GPUs)"


def load_ray() -> Any:
    """The module, kept from sending statistics. Raises `MissingExtraError` where it isn't installed."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("ray", "ray") from error
    return ray


class Cluster:
    """A connection to a cluster; one that this process made already (`ray.init`) is used as it is."""

    def __init__(self, options: RayOptions) -> None:
        """Connects, or starts a cluster of this machine's processors and GPUs that ends with this process.

        Raises `UsageError` where the address doesn't answer within `PATIENCE`.
        """
        self.ray = load_ray()
        self._options = options
        self._folder: str | None = None
        self._made = not self.ray.is_initialized()
        if not self._made:
            return
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if options.address:
            address = _answering(options.address)
            with _within(PATIENCE, options.address):
                self.ray.init(address=address, **quiet)
        else:
            # Short: paths of sockets may have some hundred characters.
            _remove_left()
            self._folder = tempfile.mkdtemp(prefix=f"{_FOLDERS}{os.getpid()}-", dir="/tmp")
            # Ray gives its workers less of a busy machine than other programs get; here they are the program.
            os.environ.setdefault("RAY_worker_niceness", "0")
            # A process whose cluster is gone is ended by Ray, after a minute if not told otherwise.
            os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "20")
            try:
                self.ray.init(
                    address="local",
                    include_dashboard=False,
                    _temp_dir=self._folder,
                    _node_ip_address="127.0.0.1",
                    **quiet,
                )
            except Exception as error:
                # Ray gives its own processes 30 seconds, which a busy machine may not do with.
                shutil.rmtree(self._folder, ignore_errors=True)
                raise RunError(f"ray: no cluster could be started here; try again: {error}") from error

    def nodes(self) -> list[NodeInfo]:
        """The nodes that are alive."""
        return [
            NodeInfo(
                name=node["NodeManagerHostname"],
                cpus=node["Resources"].get("CPU", 0.0),
                gpus=node["Resources"].get("GPU", 0.0),
            )
            for node in self.ray.nodes()
            if node["Alive"]
        ]

    def room(self) -> int:
        """How many replicas fit on all nodes."""
        return sum(self._fit(node) for node in self.nodes())

    def check_room(self) -> None:
        """Raises `UsageError`, naming the nodes, where what is asked for is more than there is."""
        options, nodes = self._options, self.nodes()
        room, wanted = self.room(), options.replicas or 1
        if room >= wanted:
            return
        each = f"{options.gpus:g} GPUs and {options.cpus:g} processors each"
        raise UsageError(
            f"ray: {wanted} replicas of {each} don't fit: there is room for {room} on "
            f"{', '.join(node.text for node in nodes)}; use replicas=, gpus=, cpus= that fit"
        )

    def close(self) -> None:
        """Ends the connection, and the cluster if it is our own."""
        if self._made:
            self.ray.shutdown()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _fit(self, node: NodeInfo) -> int:
        by_cpu = node.cpus / self._options.cpus
        by_gpu = node.gpus / self._options.gpus if self._options.gpus else by_cpu
        return int(min(by_cpu, by_gpu) + 1e-9)


def _remove_left() -> None:
    """Removes the folders of clusters whose driver was killed: Ray's processes end with it, and leave their files."""
    for path in Path("/tmp").glob(f"{_FOLDERS}*-*"):  # noqa: S108
        driver = path.name.removeprefix(_FOLDERS).partition("-")[0]
        try:
            os.kill(int(driver), 0)
        except ProcessLookupError:
            shutil.rmtree(path, ignore_errors=True)
        except (ValueError, OverflowError, PermissionError):
            continue


def _answering(address: str) -> str:
    """The address, `auto` resolved, once something answers there. Raises `UsageError` after `PATIENCE` seconds."""
    if address == "auto":
        # As Ray does for a cluster that it finds on this machine; for an address it wants to be told.
        if "RAY_AUTH_MODE" not in os.environ and TOKEN.is_file():
            os.environ["RAY_AUTH_MODE"] = "token"
        address = os.environ.get("RAY_ADDRESS", "") or (CURRENT.read_text().strip() if CURRENT.is_file() else "")
        if not address:
            raise UsageError("ray: address=auto, and no cluster runs on this machine; start one: ray start --head")
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or "/" in address:
        raise UsageError(f"ray: address={address!r}: it must be HOST:PORT of the head node, or auto")
    deadline = time.monotonic() + PATIENCE
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE / 3).close()
        left = deadline - time.monotonic()
        found = subprocess.run([*_HEALTH, "--address", address], capture_output=True, timeout=left, check=False)
        said = found.stderr.decode(errors="replace").strip()
        fault = said.splitlines()[-1:] if found.returncode else []
        if "Unauthenticated" in said:
            fault = ["it asks for a token; set RAY_AUTH_MODE=token, and have the head's ~/.ray/auth_token here"]
        healthy = found.returncode == 0
    except subprocess.TimeoutExpired:
        healthy, fault = False, [f"no answer within {PATIENCE:g} s"]
    except (OSError, OverflowError) as error:
        healthy, fault = False, [str(error)]
    if not healthy:
        raise UsageError(f"ray: no Ray cluster answers at {address}: {' '.join(fault) or 'it is not healthy'}")
    return address


@contextlib.contextmanager
def _within(seconds: float, address: str) -> Any:
    """Lets Ray give up after `seconds`, and says so in plain words."""
    os.environ.setdefault("RAY_gcs_rpc_server_connect_timeout_s", f"{seconds:g}")
    try:
        yield
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UsageError(f"ray: can't join the cluster at {address}: {error}") from error
