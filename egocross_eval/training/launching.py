"""On what a training is launched: the recipe's GPUs and the machines that the user names."""

from __future__ import annotations

import ipaddress

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.training.example_checks import Finding
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.recipes import Launch

LARGEST_PORT = 65535


def settle_launch(options: TrainOptions, recipe: Launch) -> Launch:
    """The recipe's launch with what the options say. Raises `UsageError` where nothing can be launched so."""
    gpus = recipe.gpus if options.gpus is None else options.gpus
    deepspeed = options.deepspeed or ("none" if gpus == 0 else recipe.deepspeed)
    content = {"gpus": gpus, "deepspeed": deepspeed, "nodes": options.nodes, "rank": options.rank}
    if options.address is not None:
        content["address"] = options.address
    launch = msgspec.convert(content, Launch)
    check_launch(launch)
    if launch.nodes > 1 and options.address is None:
        raise UsageError(
            f"--nodes {launch.nodes} needs --address HOST:PORT: the name of node 0's machine as the others reach it, "
            f"and a free port there, e.g. 10.0.0.1:29500; the same on every node"
        )
    return launch


def check_launch(launch: Launch) -> None:
    """Raises `UsageError` for numbers of GPUs and nodes that can't be, and an address that is none."""
    if launch.gpus < 0:
        raise UsageError(f"--gpus {launch.gpus}: 0 or more, 0 for the CPU")
    if launch.nodes < 1:
        raise UsageError(f"--nodes {launch.nodes}: 1 or more, as many as there are machines")
    if not 0 <= launch.rank < launch.nodes:
        counted = f"from 0 to {launch.nodes - 1}" if launch.nodes > 1 else "by 0 alone; --nodes says how many there are"
        raise UsageError(f"--node-rank {launch.rank}: nodes are counted {counted}")
    host, port = split_address(launch.address)
    if not host or not port.isdecimal() or not 0 < int(port) <= LARGEST_PORT:
        raise UsageError(f"--address {launch.address}: write HOST:PORT of node 0, e.g. 10.0.0.1:29500")


def split_address(address: str) -> tuple[str, str]:
    """Host and port, as they are written."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), port


def check_address(launch: Launch) -> list[Finding]:
    """A warning where nodes on several machines can't meet."""
    if launch.nodes == 1 or not _loopback(launch.address):
        return []
    message = f"--address {launch.address} is each machine's own: only nodes on this one machine meet there"
    return [Finding(level="warning", check="address", message=message)]


def _loopback(address: str) -> bool:
    """Whether each machine takes the address for itself."""
    host, _ = split_address(address)
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() in ("localhost", "localhost.localdomain")
    return number.is_loopback or number.is_unspecified
