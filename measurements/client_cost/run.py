"""Measures what `egocross-eval --model openai:...` costs a client, as ratios to the thinnest client there is.

    python measurements/client_cost/run.py --data ROOT

Both ask all questions of ROOT's testbed of a zero-latency server on this machine, each as a whole process from its
start to its end; ours also hashes every frame, renders, parses, and writes the run folder and its results. Repetitions
take turns, so that a busy machine hits both alike.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass

HERE = pathlib.Path(__file__).resolve().parent


@dataclass
class Measured:
    """One process."""

    cpu: float
    """User and system seconds."""
    wall: float
    """Seconds."""
    peak: float
    """Largest resident memory in MB."""
    requests: int
    sent: int
    """Bytes that the server received."""
    server_cpu: float


def measured(command: list[str], environment: dict[str, str]) -> Measured:
    """Runs a client against a server of its own. `{url}` in the command becomes the server's address."""
    server = subprocess.Popen(
        [sys.executable, str(HERE / "instant_server.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin
    assert server.stdout
    url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        client = subprocess.Popen(
            [part.replace("{url}", url) for part in command], stdout=output, stderr=output, env=environment
        )
        _, status, usage = os.wait4(client.pid, 0)
        wall = time.perf_counter() - began
        client.returncode = os.waitstatus_to_exitcode(status)
        if client.returncode:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)} ended with {client.returncode}:\n{output.read().decode()}")
    report = json.loads(server.communicate()[0])
    return Measured(
        cpu=usage.ru_utime + usage.ru_stime,
        wall=wall,
        peak=usage.ru_maxrss / (2**20 if platform.system() == "Darwin" else 2**10),
        requests=report["requests"],
        sent=report["bytes"],
        server_cpu=report["cpu"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=pathlib.Path, required=True, help="data root with egocross_testbed/ and its frames"
    )
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--method", choices=("once", "pairwise"), default="once")
    parser.add_argument("--json", type=pathlib.Path, help="also write all figures here")
    arguments = parser.parse_args()
    root, connections = arguments.data.resolve(), arguments.connections

    scratch = pathlib.Path(tempfile.mkdtemp(prefix="client-cost-"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    # Bytecode of both clients lies in one new place, filled by a first round that isn't counted.
    environment |= {"PYTHONPYCACHEPREFIX": str(scratch / "bytecode"), "EGOCROSS_CACHE": str(scratch / "cache")}
    program = pathlib.Path(sys.executable).with_name("egocross-eval")

    def ours(number: int) -> list[str]:
        spec = f"openai:bench,base_url={{url}},concurrency={connections}"
        folder = str(scratch / f"run{number}")
        rest = ["--no-cache", "--method", arguments.method]
        return [str(program), "--model", spec, "--tasks", "all", "--data", str(root), "--output", folder, *rest]

    thin = [sys.executable, str(HERE / "thin_client.py"), str(root), "{url}", str(connections), arguments.method]
    figures: dict[str, list[Measured]] = {"thin": [], "egocross-eval": []}
    try:
        for number in range(arguments.repetitions + 1):
            for name, command in (("thin", thin), ("egocross-eval", ours(number))):
                result = measured(command, environment)
                if number:
                    figures[name].append(result)
        report(figures, connections)
        if arguments.json:
            raw = {name: [asdict(m) for m in results] for name, results in figures.items()}
            arguments.json.write_text(json.dumps(raw, indent=1) + "\n")
    finally:
        shutil.rmtree(scratch)


def report(figures: dict[str, list[Measured]], connections: int) -> None:
    """Prints medians, spreads and ratios; refuses runs that did not send the same."""
    counts = {m.requests for results in figures.values() for m in results}
    if len(counts) != 1:
        raise SystemExit(f"the clients sent different numbers of requests: {sorted(counts)}")
    first = figures["thin"][0]
    print(
        f"{first.requests} requests, {first.sent / 1e9:.2f} GB sent, {connections} connections, {os.cpu_count()} "
        f"cores, Python {platform.python_version()}, server {first.server_cpu:.2f} s CPU\n"
    )
    print("| client | CPU s | wall s | peak MB |")
    print("|---|---|---|---|")
    for name, results in figures.items():
        cells = [
            spread([m.cpu for m in results]),
            spread([m.wall for m in results]),
            f"{max(m.peak for m in results):.0f}",
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    ratios = []
    for field in ("cpu", "wall"):
        pairs = zip(figures["egocross-eval"], figures["thin"], strict=True)
        ratios.append(statistics.median(getattr(our, field) / getattr(thin, field) for our, thin in pairs))
    print(f"| ratio | {ratios[0]:.2f} | {ratios[1]:.2f} | |")


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
