"""Writes the import hook into the environment whose Python runs this file; see `make vllm-env`."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

HOOK = "torchvision_without_cuda"


def main() -> None:
    """Copies the hook and the `.pth` file that loads it."""
    packages = Path(sysconfig.get_paths()["purelib"])
    shutil.copy(Path(__file__).with_name(f"{HOOK}.py"), packages)
    (packages / f"{HOOK}.pth").write_text(f"import {HOOK}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
