"""Nodes of a Ray cluster for the tests, and runs of the command line on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from living import kill, living
from ports import free_port

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


class RayCluster:
    """Nodes started by `ray start`, each a process of its own on this machine."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="rt-", dir="/tmp")
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE / "simulated")]),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "disabled",
            "RAY_worker_niceness": "0",
        }
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"

    def start(self, *arguments: str) -> None:
        """Tries thrice: Ray gives its own processes 30 seconds, which a busy machine may not do with."""
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--disable-usage-stats", *arguments]
        before = set(self.processes())
        for _ in range(3):
            found = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=180)
            if found.returncode == 0:
                return
            kill(set(self.processes()) - before)
        raise AssertionError(found.stdout + found.stderr)

    def start_head(self, cpus: int) -> None:
        self.start(
            "--head",
            f"--port={self.port}",
            "--node-ip-address=127.0.0.1",
            f"--num-cpus={cpus}",
            "--num-gpus=0",
            "--include-dashboard=false",
            f"--temp-dir={self.folder}",
            "--object-store-memory=100000000",
        )

    def processes(self) -> list[int]:
        """Processes of this cluster: each has its folder or port in its arguments."""
        signs = (self.folder, f"127.0.0.1:{self.port}")
        return [
            number
            for number, one in living().items()
            if any(sign in one.command for sign in signs) and "egocross_eval " not in one.command
        ]

    def stop(self) -> None:
        kill(self.processes())
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, model: str, output: Path, *arguments: str | Path) -> list[str]:
        """A run of the command line on this cluster."""
        spec = f"ray:{model},address={self.address}"
        return [sys.executable, "-m", "egocross_eval", "--model", spec, *map(str, arguments), "--output", str(output)]

    def run(self, model: str, output: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Such a run, waited for."""
        command = self.command(model, output, *arguments)
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=400)
