"""What NVIDIA's driver says of the GPUs here."""

from __future__ import annotations

from collections.abc import Sequence


def gpu_names() -> Sequence[str]:
    """Names of the GPUs that NVIDIA's driver lists; none without a driver."""
    import subprocess

    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
