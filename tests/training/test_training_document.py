"""Every command and file of docs/training.md, taken from its text: all are parsed, and those that can be are run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner, Result
from training_files import write_base

from egocross_eval.cli.main import cli
from egocross_eval.cli.verbs.experiment import EXAMPLE
from egocross_eval.model_adapters.spec import parse_spec
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.experiment_file import experts_of, read_experiment, train_options
from egocross_eval.training.planning import settle_recipe
from egocross_eval.training.recipes import recipe_names

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text(encoding="utf-8")

BASE = "Qwen/Qwen3-VL-4B-Instruct"


def commands() -> list[str]:
    """Those of the blocks, and those within sentences that are complete."""
    blocks = "\n".join(line[4:] for line in TEXT.splitlines() if line.startswith("    "))
    found = [line.strip() for line in blocks.replace("\\\n", " ").splitlines() if line.startswith("egocross-eval ")]
    inline = re.findall(r"`(egocross-eval [a-z -][^`]*)`", " ".join(TEXT.splitlines()))
    return found + [text for text in inline if not text.endswith(("train", "--questions", "routed.yaml"))]


def files() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def words(text: str, data: Path) -> list[str]:
    return [word.replace("ROOT", str(data)).replace(BASE, "base") for word in shlex.split(text)[1:]]


def invoke(arguments: list[str]) -> Result:
    return CliRunner().invoke(cli, arguments, standalone_mode=False)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with what earlier commands of the document would have left."""
    write_base(tmp_path / "base")
    for folder in ("runs/animal/model", "runs/animal-merged", "runs/small", "bench/egocross_support_set"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "bench/egocross_support_set/training.json").write_text("[]", encoding="utf-8")
    (tmp_path / "experiment.yaml").write_text(files()[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("text", commands())
def test_every_command_is_understood(text: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.Command, "invoke", lambda self, context: 0)
    result = invoke(words(text, here))
    assert result.exception is None, result.exception


@pytest.mark.parametrize("text", [text for text in commands() if " ROOT " in text and " train " in text])
def test_every_training_can_be_planned(text: str, here: Path, demo: Path) -> None:
    result = invoke([*words(text, demo), "--dry-run"])
    assert result.exception is None, result.exception
    assert "optimizer steps" in result.output


@pytest.mark.parametrize("text", re.findall(r"`egocross-eval --model (\S+routed.yaml)`", TEXT))
def test_a_routed_model_below_a_folder_is_understood(text: str) -> None:
    assert parse_spec(text).target == "results/routed.yaml"


@pytest.mark.parametrize("text", [text for text in commands() if " train recipes" in text])
def test_recipes_are_shown(text: str, here: Path) -> None:
    result = invoke(words(text, here))
    assert "lora" in result.output


def test_the_table_of_recipes_names_every_recipe() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| `")]
    named = {name for line in rows for name in re.findall(r"`([a-z-]+)`", line.split("|")[1])}
    assert set(recipe_names()) <= named


@pytest.mark.parametrize("text", [*files(), EXAMPLE.replace("\b", "")], ids=["document", "folds and seeds", "help"])
def test_the_experiment_file_is_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "experiment.yaml"
    path.write_text(text, encoding="utf-8")
    told: list[str] = []
    found = read_experiment(path, told.append)
    assert told == []
    for expert in experts_of(found):
        assert settle_recipe(train_options(found, expert))[0].name.startswith("lora")


@pytest.mark.slow
@pytest.mark.training
def test_the_commands_work_one_after_the_other(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the CPU and with small frames, otherwise as written, relative paths and all."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base").symlink_to(base)
    small = ["--max-pixels", "4096"]
    train, run, merge, doctor, again, checkpoints = commands()[:6]
    here = [*small, "--gpus", "0", "--python", str(environment.python)]
    trained = [*words(train, bench), *here]
    for arguments in (
        trained,
        [*words(run, bench), *small, "--answer", "choose"],
        [*words(merge, bench), "--python", str(environment.python)],
        [*words(doctor, bench), "--python", str(environment.python)],
        [*words(doctor, bench), "--no-repair"],
        [*words(again, bench), *here, "--domain", "animal", "--set", "num_train_epochs=2"],
        words(checkpoints, bench),
    ):
        result = invoke(arguments)
        assert result.exception is None, (arguments, result.exception, result.output)
        assert result.return_value in (0, None), (arguments, result.output)


@pytest.mark.slow
@pytest.mark.training
def test_the_experiment_works_and_so_does_the_model_it_prints(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = yaml.safe_load(files()[0])
    content |= {"model": str(base), "data": str(bench), "domains": ["animal"]}
    content["train"] |= {"gpus": 0, "max_pixels": 4096, "frames": "uniform:2"}
    (tmp_path / "experiment.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    result = invoke(["experiment", "experiment.yaml", "--python", str(environment.python)])
    assert result.exception is None, result.exception
    (joined,) = re.findall(r"^joined: (.*)$", result.output, re.MULTILINE)
    again = invoke(
        ["--model", joined, "--tasks", "animal", "--data", str(bench), "--answer", "choose", "--max-pixels", "4096"]
    )
    assert again.exception is None, again.exception
