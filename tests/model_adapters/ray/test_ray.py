"""Real clusters: the letters of the inner adapter, faults that are named, nodes that leave and join."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_server import FakeServer
from living import kill
from ray_cluster import RayCluster
from until import until
from whole_lines import json_lines

from egocross_eval.model_adapters.ray.cluster import load_ray

pytestmark = [pytest.mark.slow, pytest.mark.ray]

DEMO = ("--split", "demo", "--no-cache")


def samples(run: Path) -> list[dict[str, Any]]:
    return json_lines(run / "samples.jsonl")


def letters(run: Path) -> dict[str, str]:
    found = {sample["key"]: sample["grade"].get("prediction") for sample in samples(run)}
    assert len(found) == len(samples(run)), "a question twice"
    return found


def plain(cluster: RayCluster, model: str, output: Path, *arguments: str | Path) -> dict[str, str]:
    """The letters of the inner adapter without Ray."""
    command = [sys.executable, "-m", "egocross_eval", "--model", model, *map(str, arguments), "--output", str(output)]
    found = subprocess.run(command, env=cluster.environment, capture_output=True, text=True, timeout=400)
    assert found.returncode in (0, 1), found.stderr
    return letters(output)


def replicas(run: Path) -> Counter[str]:
    return Counter(answer["response"].get("replica", "") for sample in samples(run) for answer in sample["answers"])


def test_replicas_give_the_letters_of_the_inner_adapter_and_share_the_work(
    ray_cluster: RayCluster, tmp_path: Path
) -> None:
    model = f"simulated:x,seconds=0.2,window=3,meet=4,at={tmp_path / 'met'}"
    found = ray_cluster.run(f"{model},replicas=4,cpus=0.5", tmp_path / "ray", *DEMO)
    assert found.returncode == 0, found.stderr
    assert letters(tmp_path / "ray") == plain(ray_cluster, "simulated:x", tmp_path / "plain", *DEMO)
    shares = replicas(tmp_path / "ray")
    assert len(shares) == 4
    assert min(shares.values()) >= 5
    record = json.loads((tmp_path / "ray" / "run.json").read_bytes())
    assert record["model"]["identity"] == model
    assert record["model"]["name"] == "simulated:x"
    assert sum(record["model"]["details"]["replicas_by_node"].values()) == 4


def test_a_run_of_the_inner_adapter_goes_on_with_replicas(ray_cluster: RayCluster, tmp_path: Path) -> None:
    plain(ray_cluster, "simulated:x", tmp_path / "run", *DEMO)
    kept = (tmp_path / "run" / "samples.jsonl").read_bytes().splitlines(keepends=True)[:40]
    (tmp_path / "run" / "samples.jsonl").write_bytes(b"".join(kept))
    found = ray_cluster.run("simulated:x,replicas=2", tmp_path / "run", *DEMO)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "run" / "samples.jsonl").read_bytes().startswith(b"".join(kept))
    assert len(letters(tmp_path / "run")) == 100


def test_a_question_that_kills_three_replicas_is_a_failure_and_no_other_is(
    ray_cluster: RayCluster, tmp_path: Path
) -> None:
    key = sample_key(ray_cluster, tmp_path)
    found = ray_cluster.run(f"simulated:x,poison={key},replicas=2,cpus=0.5", tmp_path / "run", *DEMO)
    assert found.returncode == 1, found.stderr
    failed = [sample for sample in samples(tmp_path / "run") if sample["grade"]["outcome"] == "errored"]
    assert [sample["key"] for sample in failed] == [key]
    failure = failed[0]["answers"][0]["response"]["failure"]
    assert failure["kind"] == "replica_died"
    assert "3 replicas died" in failure["message"]
    assert len(letters(tmp_path / "run")) == 100


def sample_key(cluster: RayCluster, folder: Path) -> str:
    """The key of some question in the middle."""
    plain(cluster, "simulated:x", folder / "keys", *DEMO)
    return str(samples(folder / "keys")[50]["key"])


def test_an_engine_that_breaks_ends_the_run_with_its_node_named(ray_cluster: RayCluster, tmp_path: Path) -> None:
    key = sample_key(ray_cluster, tmp_path)
    found = ray_cluster.run(f"simulated:x,breaks={key},replicas=2", tmp_path / "run", *DEMO)
    assert found.returncode == 1
    assert "the engine is out of order" in found.stderr
    assert f"on {os.uname().nodename}" in found.stderr
    assert 0 < len(letters(tmp_path / "run")) < 100
    found = ray_cluster.run("simulated:x,replicas=2", tmp_path / "other", *DEMO)
    assert found.returncode == 0


def test_a_stuck_replica_is_named_in_the_folder_of_its_run(ray_cluster: RayCluster, tmp_path: Path) -> None:
    key = sample_key(ray_cluster, tmp_path)
    command = ray_cluster.command(f"simulated:x,stuck={key},replicas=2,cpus=0.5", tmp_path / "run", *DEMO)
    process = subprocess.Popen(command, env=ray_cluster.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        until(lambda: len(samples(tmp_path / "run")) >= 90, process)

        def named() -> bool:
            return f"on {os.uname().nodename}: {key} for" in activity(tmp_path / "run").get("waits_for", "")

        until(named, process)
        assert activity(tmp_path / "run")["oldest"] == key
    finally:
        process.kill()
        process.communicate()


def activity(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "activity.json").read_bytes())
    return found


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("gpus=1", r"1 replicas of 1 GPUs and 1 processors each don't fit: there is room for 0 on"),
        ("replicas=9", "9 replicas of 0 GPUs and 1 processors each don't fit: there is room for 8 on"),
        ("weights=own", "node .*: the model there is another one"),
        ("replica=2", "unknown option 'replica'"),
        ("replicas=-1", "replicas"),
        ("cpus=0", "cpus"),
    ],
)
def test_what_can_not_be_had_is_refused_with_the_node_named(
    ray_cluster: RayCluster, tmp_path: Path, options: str, message: str
) -> None:
    import re

    found = ray_cluster.run(f"simulated:x,{options}", tmp_path / "run", *DEMO)
    assert found.returncode == 2, found.stderr
    assert re.search(message, found.stderr), found.stderr
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "run").exists()


def test_frames_travel_to_nodes_that_do_not_see_them(ray_cluster: RayCluster, demo: Path, tmp_path: Path) -> None:
    model = "simulated:x,reads=true"
    arguments = ("--data", demo, "--no-cache", "--frames", "uniform:2")
    shipped = f"{model},replicas=2,ship_frames=true"
    found = ray_cluster.run(shipped, tmp_path / "ray", *arguments)
    assert found.returncode == 0, found.stderr
    assert letters(tmp_path / "ray") == plain(ray_cluster, model, tmp_path / "plain", *arguments)


def test_the_demo_model_gives_its_letters_by_replicas_too(
    ray_cluster: RayCluster, demo_model: Path, tmp_path: Path
) -> None:
    arguments = ("--split", "demo", "--limit", "24", "--frames", "uniform:2", "--answer", "choose", "--no-cache")
    found = ray_cluster.run(f"hf:{demo_model},replicas=2,cpus=1", tmp_path / "ray", *arguments)
    assert found.returncode == 0, found.stderr
    assert letters(tmp_path / "ray") == plain(ray_cluster, f"hf:{demo_model}", tmp_path / "plain", *arguments)
    assert len(replicas(tmp_path / "ray")) == 2


@pytest.fixture
def demo_model() -> Path:
    import egocross_eval.training

    pytest.importorskip("transformers", reason="the extra hf is not installed")
    return Path(egocross_eval.training.__file__).parent / "demo_model"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(answers="B", models=("m",)) as running:
        yield running


def test_a_server_is_asked_by_replicas_as_by_one(ray_cluster: RayCluster, server: FakeServer, tmp_path: Path) -> None:
    model = f"openai:m,base_url={server.base_url},concurrency=4"
    found = ray_cluster.run(f"{model},replicas=2", tmp_path / "ray", *DEMO, "--frames", "uniform:1")
    assert found.returncode == 0, found.stderr
    ours = letters(tmp_path / "ray")
    assert ours == plain(ray_cluster, model, tmp_path / "plain", *DEMO, "--frames", "uniform:1")


def test_nodes_that_join_and_leave_during_a_run_are_used_and_missed(tmp_path: Path) -> None:
    load_ray()
    cluster = RayCluster()
    try:
        cluster.start_head(cpus=1)
        hurry = tmp_path / "hurry"
        # As slow as it takes for nodes to come and go on a busy machine.
        command = cluster.command(f"simulated:x,seconds=3,hurry={hurry}", tmp_path / "run", *DEMO)
        process = subprocess.Popen(command, env=cluster.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until(lambda: len(samples(tmp_path / "run")) >= 2, process)
        head = set(cluster.processes())
        cluster.start(f"--address={cluster.address}", "--node-ip-address=127.0.0.2", "--num-cpus=2")
        until(lambda: len(replicas(tmp_path / "run")) >= 3, process)
        kill(set(cluster.processes()) - head)
        hurry.touch()
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()
        assert len(letters(tmp_path / "run")) == 100
    finally:
        cluster.stop()


def test_an_address_where_nothing_answers_is_given_up(tmp_path: Path, ray_cluster: RayCluster) -> None:
    environment = ray_cluster.environment
    for address, message in (
        ("127.0.0.1:9", "no Ray cluster answers at 127.0.0.1:9"),
        ("nonsense", "must be HOST:PORT"),
        ("ray://127.0.0.1:10001", "must be HOST:PORT"),
    ):
        spec = f"ray:simulated:x,address={address}"
        command = [sys.executable, "-m", "egocross_eval", "--model", spec, *DEMO, "--output", str(tmp_path / "run")]
        begun = time.monotonic()
        found = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert found.returncode == 2, found.stderr
        assert message in found.stderr
        assert time.monotonic() - begun < 150
        assert not (tmp_path / "run").exists()
