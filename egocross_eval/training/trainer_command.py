"""The command line that starts the trainer."""

from __future__ import annotations

from pathlib import Path

from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.launching import check_launch, split_address
from egocross_eval.training.recipes import Launch

START = "egocross_eval.training.inside.start_trainer"


def command(environment: TrainingEnvironment, launch: Launch, config: Path) -> list[str]:
    """The command line that trains: one process, or torchrun's agent with one process a GPU."""
    python = [str(environment.python)]
    if not launch.distributed:
        return [*python, "-m", START, str(config)]
    agent = [*python, "-m", "torch.distributed.run", f"--nproc_per_node={max(1, launch.gpus)}"]
    return [*agent, *_meeting(launch), "-m", START, str(config)]


def _meeting(launch: Launch) -> list[str]:
    """Where the processes meet; on one machine at a free port, so that two trainings don't want the same."""
    if launch.nodes == 1:
        return ["--standalone"]
    check_launch(launch)
    host, port = split_address(launch.address)
    return [
        f"--nnodes={launch.nodes}",
        f"--node_rank={launch.rank}",
        f"--master_addr={host}",
        f"--master_port={port}",
    ]
