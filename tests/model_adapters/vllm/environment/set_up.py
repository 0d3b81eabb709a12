"""Finishes the environment whose Python runs this file, so that vLLM for CPUs can be imported; see `make vllm-env`.

A package index may have PyTorch without CUDA, but torchvision, torchaudio and torchcodec only for CUDA. The first gets
an import hook; the others, which nothing here uses, are removed where they can't be loaded.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

HOOK = "torchvision_without_cuda"

UNUSED = ("torchaudio", "torchcodec")


def main() -> None:
    """Writes the hook, removes what can't be loaded, and checks that torchvision can."""
    packages = Path(sysconfig.get_paths()["purelib"])
    shutil.copy(Path(__file__).with_name(f"{HOOK}.py"), packages)
    (packages / f"{HOOK}.pth").write_text(f"import {HOOK}\n", encoding="utf-8")
    for name in UNUSED:
        if find_spec(name) is not None and not loads(name):
            subprocess.run([sys.executable, "-m", "pip", "uninstall", "--quiet", "--yes", name], check=True)
    if not loads("torchvision"):
        sys.exit("torchvision can't be imported in this environment")


def loads(name: str) -> bool:
    """Whether a module can be imported, tried in a process of its own."""
    return subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
