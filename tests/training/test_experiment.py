"""Experiments: their file, their steps, and what they leave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from egocross_eval import PromptSettings, UsageError, evaluate
from egocross_eval.model_adapters.spec import parse_spec
from egocross_eval.runs.options import options_from
from egocross_eval.sweeps.planned import PlannedRun
from egocross_eval.training.dataset import write_holdout
from egocross_eval.training.examples import read_examples
from egocross_eval.training.experiment import Made, conduct, expert_spec, run_options
from egocross_eval.training.experiment_file import Expert, experts_of, read_experiment, train_options
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.planning import settle_recipe


def write(path: Path, **changes: Any) -> Path:
    content = {"model": "Qwen/Qwen3-VL-4B-Instruct", "data": "data", "output": "out", "domains": ["animal", "surgery"]}
    path.write_text(yaml.safe_dump(content | changes), encoding="utf-8")
    return path


def test_folders_with_commas_make_specs_that_can_be_read_again(tmp_path: Path) -> None:
    adapter = tmp_path / "a,b" / "model"
    adapter.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text("{}")
    options = {"processor_kwargs": '{"a":1,"b":2}'}
    found = read_experiment(write(tmp_path / "e.yaml", evaluate={"options": options}))
    spec = parse_spec(expert_spec(found, adapter))
    assert (spec.target, spec.options) == (found.model, {**options, "lora": str(adapter)})
    (adapter / "adapter_config.json").unlink()
    assert parse_spec(expert_spec(found, adapter)).target == str(adapter)


def report(made: Made, name: str) -> str:
    (path,) = (path for path in made.reports if path.stem == name)
    return path.read_text(encoding="utf-8")


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    found = read_experiment(write(tmp_path / "e.yaml"))
    assert found.data == str(tmp_path / "data")
    assert train_options(found, Expert(domain="animal")).output == tmp_path / "out" / "experts" / "animal"
    assert found.model == "Qwen/Qwen3-VL-4B-Instruct"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"domains": ["animals"]}, r"line 3: .*did you mean 'animal'"),
        ({"trein": {}}, r"line 7: there is an unknown field 'trein' \(did you mean 'train'"),
        (
            {"train": {"seed": 1, "recipes": "lora"}},
            r"line 8: unknown field of train 'recipes' \(did you mean 'recipe'",
        ),
        ({"train": {"recipe": "lra"}}, r"line 8: unknown recipe 'lra' \(did you mean 'lora'"),
        ({"evaluate": {"split": "support"}}, "line 6: 'evaluate.split' is 'support', .*known: holdout, testbed"),
        (
            {"evaluate": {"split": "testbed", "answer": "chose"}},
            "line 6: evaluate: 'answer' is 'chose', .*mean 'choose'",
        ),
        ({"evaluate": {"method": "verifi"}}, r"line 6: unknown method 'verifi' \(did you mean 'verify'"),
        ({"evaluate": {"tasks": "animl"}}, r"line 6: unknown task 'animl' \(did you mean 'animal'"),
        ({"evaluate": {"split": "holdout"}}, "line 6: .*train.holdout"),
        ({"train": {"frames": "uniform:0"}}, "line 8: train: .*uniform"),
        ({"train": {"seeds": 3}}, "line 7: .*the testbed is not to choose among them"),
        ({"train": {"folds": 2, "holdout": 0.2}, "evaluate": {"split": "holdout"}}, "line 11: .*exclude each other"),
        ({"train": {"set": {"lora_rank": 0}}}, "line 9: train.set: lora_rank=0 must be a whole number from 1"),
        ({"train": {"set": {"lora_rank": "0"}}}, "line 9: train.set: lora_rank=0 must be a whole number from 1"),
        ({"train": {"set": {"cutoff_len": "much"}}}, "line 9: train.set: cutoff_len='much' must be a whole number"),
        ({"train": {"set": {"lora_rank": None}}}, "line 9: train.set: lora_rank is null and must be a whole number"),
        ({"train": {"set": {"run_name": "a: b: c"}}}, "line 9: train.set: --set run_name"),
        ({"train": {"timestamps": True, "shuffled": True}}, "line 7: shuffled frames can't carry their times"),
        ({"train": {"prompt": {"timestamps": True}, "shuffled": True}}, "line 7: shuffled frames can't carry"),
        ({"train": {"prompt": {"frames": 3}}}, "line 9: 'train.prompt.frames' is a whole number, not a text"),
        ({"train": {"passes": 0}}, "line 7: --passes 0"),
        ({"train": {"holdout": float("nan")}}, "line 7: --holdout nan"),
        ({"train": {"folds": -1}, "evaluate": {"split": "holdout"}}, "line 9: --folds -1"),
        ({"train": {"shuffle_options": [0.9, 0.1]}}, "line 7: --shuffle-options 0.9:0.1"),
        ({"evaluate": {"limit": 0}}, "line 6: evaluate.limit is 0, at least 1"),
    ],
)
def test_mistakes_in_the_file_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=f"experiment file .*e.yaml, {message}"):
        read_experiment(write(tmp_path / "e.yaml", **changes))


def test_settings_stand_beside_the_other_fields_and_reach_training_and_runs(tmp_path: Path) -> None:
    found = read_experiment(
        write(
            tmp_path / "e.yaml",
            train={"frames": "uniform:4", "timestamps": True, "recipe": "lora-small"},
            evaluate={"answer": "choose", "method": "rotate"},
        )
    )
    assert train_options(found, Expert(domain="animal")).prompt == PromptSettings(frames="uniform:4", timestamps=True)
    asked = run_options(found)
    assert (asked["frames"], asked["timestamps"], asked["max_pixels"]) == ("uniform:4", True, 128_000)
    assert (asked["answer"], asked["method"]) == ("choose", "rotate")
    options_from(**asked)


def test_numbers_in_quotes_are_read_as_the_training_reads_them(tmp_path: Path) -> None:
    changes = {"cutoff_len": "4096", "image_max_pixels": "0x10000", "save_strategy": "no", "warmup_ratio": None}
    found = read_experiment(write(tmp_path / "e.yaml", train={"set": changes}))
    recipe, _ = settle_recipe(train_options(found, Expert(domain="animal")))
    assert {name: recipe.arguments[name] for name in changes} == {
        "cutoff_len": 4096,
        "image_max_pixels": 65536,
        "save_strategy": "no",
        "warmup_ratio": None,
    }
    assert run_options(found)["max_pixels"] == 65536


def test_settings_in_a_part_of_their_own_are_kept_beside_the_others(tmp_path: Path) -> None:
    found = read_experiment(write(tmp_path / "e.yaml", train={"prompt": {"style": "json"}, "frames": "all"}))
    assert found.train.prompt == PromptSettings(style="json", frames="all")


@pytest.mark.parametrize("old", ["on", '"on"'])
def test_the_old_name_of_the_split_is_understood_with_a_hint(tmp_path: Path, old: str) -> None:
    """YAML reads a bare `on` as true."""
    path = write(tmp_path / "e.yaml", train={"holdout": 0.3})
    path.write_text(path.read_text(encoding="utf-8") + f"evaluate: {{{old}: holdout}}\n", encoding="utf-8")
    said: list[str] = []
    assert read_experiment(path, said.append).evaluate.split == "holdout"
    assert "evaluate.split" in said[0]


def test_the_experts_are_joined_compared_and_listed(tmp_path: Path, demo: Path) -> None:
    """Baselines stand for base and experts: what is tested is what the experiment makes of their runs."""
    experiment = read_experiment(
        write(tmp_path / "e.yaml", data=str(demo), evaluate={"answer": "choose", "tasks": "animal"})
    )
    trained: list[TrainOptions] = []
    asked: list[str] = []

    def train_one(options: TrainOptions) -> Path:
        trained.append(options)
        model = options.output / "model"
        model.mkdir(parents=True, exist_ok=True)
        return model

    def evaluate_all(planned: Sequence[PlannedRun]) -> None:
        for one in planned:
            asked.append(one.model)
            letter = "B" if one.model.startswith("routed:") else "A"
            options = options_from(one.options, answer="generate")
            evaluate(f"baseline:constant,letter={letter}", options=options, output=one.folder)

    made = conduct(experiment, train_one, lambda adapter, output: output, evaluate_all, lambda text: None)
    assert [options.domains for options in trained] == [("animal",), ("surgery",)]
    assert asked == ["hf:Qwen/Qwen3-VL-4B-Instruct", f"routed:{made.routed},name=routed experts"]
    assert made.routed is not None
    routes = yaml.safe_load(made.routed.read_text(encoding="utf-8"))
    assert routes["by"] == "domain"
    assert routes["models"]["animal"] == f"hf:{made.experts['animal']}"
    assert "routed" in report(made, "comparison")
    assert report(made, "leaderboard").count("\n|") >= 3

    asked.clear()
    again = conduct(experiment, train_one, lambda adapter, output: output, evaluate_all, lambda text: None)
    assert again == made


def test_on_the_holdout_each_expert_is_asked_what_it_was_not_trained_on(tmp_path: Path, demo: Path) -> None:
    experiment = read_experiment(
        write(
            tmp_path / "e.yaml",
            data=str(demo),
            domains=["animal", "industry"],
            train={"holdout": 0.3},
            evaluate={"split": "holdout"},
        )
    )
    asked: dict[str, set[str]] = {}
    trained: dict[str, set[str]] = {}

    def train_one(options: TrainOptions) -> Path:
        found = read_examples(options.data, domains=options.domains, split=options.split)
        trained[options.domains[0]] = {frame.name for question in found.train for frame in question.frames}
        (options.output / "data").mkdir(parents=True)
        write_holdout(options.output / "data", found.holdout, found.files)
        return options.output / "model"

    def evaluate_all(planned: Sequence[PlannedRun]) -> None:
        for one in planned:
            letter = "A" if one.model.startswith("hf:Qwen") else "B"
            run = evaluate(f"baseline:constant,letter={letter}", options=one.options, output=one.folder)
            asked[one.name] = {frame.name for sample in run.samples for frame in sample.question.frames}

    made = conduct(experiment, train_one, lambda adapter, output: output, evaluate_all, lambda text: None)
    assert set(asked) == {f"{name}-on-{domain}" for domain in trained for name in ("base", domain)}
    for domain, seen in trained.items():
        assert asked[f"base-on-{domain}"] == asked[f"{domain}-on-{domain}"]
        assert asked[f"base-on-{domain}"]
        assert not asked[f"base-on-{domain}"] & seen
    compared = report(made, "comparison")
    assert all(f"{name}-on-{domain}" in compared for domain in trained for name in ("base", domain))


def test_folds_and_seeds_are_counted_together(tmp_path: Path, demo: Path) -> None:
    """Every example is asked once by each seed, by an expert that wasn't trained on its video."""
    experiment = read_experiment(
        write(
            tmp_path / "e.yaml",
            data=str(demo),
            domains=["animal"],
            train={"folds": 2, "seeds": 2},
            evaluate={"split": "holdout"},
        )
    )
    names = ["animal-fold1", "animal-fold1-seed1", "animal-fold2", "animal-fold2-seed1"]
    assert [expert.name for expert in experts_of(experiment)] == names
    seeds: dict[str, int] = {}
    asked: dict[str, list[str]] = {}

    def train_one(options: TrainOptions) -> Path:
        seeds[options.output.name] = options.curriculum.seed
        found = read_examples(options.data, domains=options.domains, split=options.split)
        (options.output / "data").mkdir(parents=True)
        write_holdout(options.output / "data", found.holdout, found.files)
        return options.output / "model"

    def evaluate_all(planned: Sequence[PlannedRun]) -> None:
        for one in planned:
            letter = "A" if one.model.startswith("hf:Qwen") else "B"
            run = evaluate(f"baseline:constant,letter={letter}", options=one.options, output=one.folder)
            asked[one.name] = [sample.question.frames[0].name for sample in run.samples]

    made = conduct(experiment, train_one, lambda adapter, output: output, evaluate_all, lambda text: None)
    assert seeds == dict(zip(names, (0, 1, 0, 1), strict=True))
    assert made.routed is None
    for repeat in ("", "-seed1"):
        halves = [asked[f"animal-fold{fold}{repeat}-on-animal-fold{fold}"] for fold in (1, 2)]
        assert not set(halves[0]) & set(halves[1])
        assert len(halves[0]) + len(halves[1]) == 20
    (row,) = [line for line in report(made, "spread").splitlines() if line.startswith("| animal")]
    assert row.split("|")[2].strip() == "20"
    # Both seeds answer alike here.
    assert row.split("|")[5].strip() == "0.00"


def test_an_adapter_is_used_beside_its_base_and_a_checkpoint_by_itself(tmp_path: Path) -> None:
    experiment = read_experiment(
        write(tmp_path / "e.yaml", evaluate={"engine": "vllm", "options": {"max_model_len": "32768"}})
    )
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    assert expert_spec(experiment, adapter) == f"vllm:{adapter},max_model_len=32768"
    (adapter / "adapter_config.json").write_text("{}", encoding="utf-8")
    assert expert_spec(experiment, adapter) == f"vllm:{experiment.model},max_model_len=32768,lora={adapter}"
