"""Model files, routes, recipes and experiments of others: no key goes astray, nothing is run, sent or overwritten."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from calling import call
from fake_server import FakeServer

from egocross_eval.contracts.registry import registry
from egocross_eval.errors import DataError, UsageError
from egocross_eval.model_adapters.openai.address import key_for
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.training.experiment_file import read_experiment
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.planning import settle_recipe
from egocross_eval.training.recipes import RECIPES

SECRET = "sk-verysecret-0123456789"
ELSEWHERE = "https://evil.example/v1"


@pytest.fixture(autouse=True)
def no_notes() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def written(path: Path, content: object) -> Path:
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "DATABASE_URL",
        "HOME",
        "PATH",
        "SSH_AUTH_SOCK",
        "PGPASSWORD",
        "MY_SECRET",
        "X_API_KEY_FILE",
        "_TOKEN=x",
        "A_API_KEY\n",
        "a_api_key",
        "",
    ],
)
def test_a_model_file_names_no_variable_but_those_for_keys(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name and "=" not in name:
        monkeypatch.setenv(name, SECRET)
    options = {"base_url": "http://127.0.0.1:9/v1", "api_key_env": name}
    path = written(tmp_path / "model.yaml", {"scheme": "openai", "target": "m", "options": options})
    assert call("--model", str(path), "--split", "demo", "--limit", "1", "--output", tmp_path / "run") == 2


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("ANTHROPIC_API_KEY", ELSEWHERE),
        ("HF_TOKEN", ELSEWHERE),
        ("HF_TOKEN", "https://huggingface.co.evil.example/v1"),
        ("HF_TOKEN", "https://evilhuggingface.co/v1"),
        ("GITHUB_TOKEN", "http://127.0.0.1:8000/v1"),
        ("AWS_SESSION_TOKEN", ELSEWHERE),
    ],
)
def test_a_key_of_a_known_service_goes_to_no_other_host(
    variable: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, SECRET)
    with pytest.raises(UsageError, match=variable) as error:
        key_for(url, variable)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        ELSEWHERE,
        "https://api.openai.com.evil.example/v1",
        "https://notopenai.com/v1",
        "http://127.0.0.1:8000/v1",
        "https://api.openai.com@evil.example/v1",
    ],
)
def test_the_default_key_goes_to_its_own_host_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert key_for(url, "OPENAI_API_KEY").headers() == {}
    for own in ("https://api.openai.com/v1", "https://eu.api.openai.com/v1"):
        assert key_for(own, "OPENAI_API_KEY").headers()


def test_the_default_key_goes_where_the_environment_beside_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", "https://proxy.example/v1")
    assert key_for("https://proxy.example/other", "OPENAI_API_KEY").headers()
    for url in (ELSEWHERE, "http://proxy.example/v1", "https://proxy.example:8443/v1"):
        assert not key_for(url, "OPENAI_API_KEY").headers()


def test_a_server_of_others_gets_no_default_key(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with FakeServer(api_key=SECRET) as server:
        spec = f"openai:m,base_url={server.base_url},max_retries=0"
        assert call("--model", spec, "--data", demo, "--limit", "2", "--output", tmp_path / "run") != 0


def test_the_user_is_told_which_key_goes_where_and_when_it_is_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_API_KEY", SECRET)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        key_for("http://server.example:8000/v1", "SERVER_API_KEY")
        key_for("http://localhost:8000/v1", "SERVER_API_KEY")
        key_for("http://127.8.0.1:8000/v1", "SERVER_API_KEY")
    told = [str(warning.message) for warning in caught]
    assert told[0] == "the key in SERVER_API_KEY goes to server.example"
    assert "unencrypted" in told[1]
    assert [text.rpartition(" ")[2] for text in told[2:]] == ["localhost", "127.8.0.1"]
    assert SECRET not in "".join(told)


RUNS_CODE: list[tuple[str, dict[str, str]]] = [
    ("hf", {"trust_remote_code": "true"}),
    ("vllm", {"trust_remote_code": "true"}),
    ("vllm", {"worker_cls": "evil.Worker"}),
    ("vllm", {"worker_extension_cls": "evil.Extension"}),
    ("vllm", {"logits_processors": "evil:Processor"}),
    ("vllm", {"download_dir": "/home"}),
    ("vllm", {"hf_overrides.auto_map": "x"}),
    ("vllm", {"no_such_option": "x"}),
    ("vllm-server", {"python": "./evil"}),
    ("vllm-server", {"log": "~/.bashrc"}),
    ("vllm-server", {"media_root": "/"}),
    ("vllm-server", {"middleware": "evil.Middleware"}),
    ("vllm-server", {"api_key": "x"}),
    ("vllm-server", {"tool_parser_plugin": "evil.py"}),
]


@pytest.mark.parametrize(("scheme", "options"), RUNS_CODE)
def test_no_file_runs_code_or_opens_files(scheme: str, options: dict[str, str], tmp_path: Path) -> None:
    (key,) = options
    model = written(tmp_path / "model.yaml", {"scheme": scheme, "target": "evil/model", "options": options})
    config = written(tmp_path / "run.yaml", {"model": f"{scheme}:evil/model,{key}={options[key]}", "split": "demo"})
    with pytest.raises(UsageError):  # an option that would carry a secret is refused at once
        build_adapter(parse_spec(str(model)), registry())
    assert call("--model", str(model), "--split", "demo", "--output", tmp_path / "run") == 2
    assert call("--config", config, "--output", tmp_path / "run") == 2
    route = written(tmp_path / "route.yaml", {"models": {"animal": f"{scheme}:evil/model,{key}={options[key]}"}})
    with pytest.raises(UsageError, match=r"route\.yaml|secret"):
        build_adapter(parse_spec(f"routed:{route}"), registry())
    trusting = written(tmp_path / "t.yaml", {"scheme": "routed", "target": str(route), "options": {"trusted": True}})
    with pytest.raises(UsageError, match="can't set 'trusted'"):
        build_adapter(parse_spec(str(trusting)), registry())


def test_a_file_may_say_how_large_an_engine_is(tmp_path: Path) -> None:
    options = {"max_model_len": 32768, "tensor_parallel_size": 2, "dtype": "bfloat16"}
    path = written(tmp_path / "model.yaml", {"scheme": "vllm", "target": "a/b", "options": options})
    from egocross_eval.model_adapters.spec import adapter_type, refuse_untyped

    spec = parse_spec(str(path))
    refuse_untyped(spec, adapter_type(spec, registry()))


RISKS: dict[str, Any] = {
    "trust_remote_code": True,
    "push_to_hub": True,
    "hub_model_id": "evil/model",
    "hub_token": "x",
    "hf_hub_token": "x",
    "export_hub_model_id": "evil/model",
    "report_to": "wandb",
    "use_swanlab": True,
    "swanlab_lark_webhook_url": "https://evil.example",
    "trackio_space_id": "evil/space",
    "adapter_name_or_path": "../evil",
    "ref_model": "../evil",
    "reward_model": "https://evil.example",
    "tokenized_path": "../evil",
    "cache_dir": "/home",
    "media_dir": "/",
    "logging_dir": "/home",
    "profiler_output_dir": "/home",
    "export_dir": "/home",
    "ray_init_kwargs": {"address": "evil"},
    "accelerator_config": "../evil.json",
    "fsdp_config": "../evil.json",
    "master_addr": "evil.example",
    "eval_dataset": "evil",
    # What the command line settles.
    "output_dir": "/home",
    "resume_from_checkpoint": "../evil",
    "model_name_or_path": "evil/model",
    "dataset_dir": "/",
    "deepspeed": "../evil.json",
}


def options_with(recipe: str, *changes: str) -> TrainOptions:
    return TrainOptions(model="m", data=Path(), output=Path("out"), recipe=recipe, changes=changes)


@pytest.mark.parametrize("name", RISKS)
def test_a_recipe_of_others_runs_no_code_uploads_nothing_and_opens_no_other_files(name: str, tmp_path: Path) -> None:
    content = {"description": "x", "arguments": {"learning_rate": 1e-4, name: RISKS[name]}}
    recipe = written(tmp_path / "recipe.yaml", content)
    with pytest.raises(UsageError, match=rf"recipe .*{name}"):
        settle_recipe(options_with(str(recipe)))
    experiment = {"model": "m", "data": "d", "output": "o", "train": {"set": {name: RISKS[name]}}}
    with pytest.raises(UsageError, match=rf"experiment.*{name}"):
        read_experiment(written(tmp_path / "experiment.yaml", experiment))


def test_what_the_user_types_as_well_is_taken(tmp_path: Path) -> None:
    content = {"description": "x", "arguments": {"report_to": "wandb"}}
    recipe = written(tmp_path / "recipe.yaml", content)
    made, _ = settle_recipe(options_with(str(recipe), "report_to=wandb"))
    assert made.arguments["report_to"] == "wandb"


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_recipes_of_the_package_hold_nothing_of_the_kind(path: Path) -> None:
    settle_recipe(options_with(str(path)))
    settle_recipe(options_with(path.stem))


def test_an_experiment_of_others_runs_no_code(tmp_path: Path) -> None:
    content = {"model": "m", "data": "d", "output": "o", "evaluate": {"options": {"trust_remote_code": "true"}}}
    with pytest.raises(UsageError, match="trust_remote_code"):
        read_experiment(written(tmp_path / "experiment.yaml", content))


LAUGHS = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]"


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        "base: &base {scheme: openai}\n<<: *base",
        "<<: {scheme: openai}",
        "scheme: !!python/object/apply:os.system [touch planted]",
        "scheme: !!python/name:os.system",
        "scheme: !!binary aGk=",
        "[" * 10_000,
        "{a: " * 10_000,
        "- " * 10_000 + "a",
        "scheme: " + "A" * 2**20,
        "scheme: openai\nscheme: hf",
        "? [scheme]\n: openai",
        "scheme: \x1b[2J",
        "scheme: \x00",
        "scheme: [openai]",
        "scheme: 7",
        "scheme: openai\noptions: 7",
        "scheme: openai\noptions: [a]",
        "scheme: openai\noptions: {base_url: [a]}",
        "scheme: openai\noptions: {timeout: .nan}",
        "scheme: openai\noptions: {timeout: 1.0e+400}",
        "scheme: openai\noptions: {concurrency: " + "9" * 5000 + "}",
        "scheme: openai\noptions: {timeout: 1:2:3}",
        "--- a\n--- b",
        "7",
        "",
    ],
    ids=lambda text: repr(text[:30]),
)
def test_a_hostile_model_file_is_refused_in_few_words(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.yaml"
    path.write_text(text)
    assert call("--model", str(path), "--split", "demo", "--output", tmp_path / "run") == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "\x1b" not in said
    assert len(said) < 2000
    assert not (tmp_path / "planted").exists()


@pytest.mark.parametrize("text", [LAUGHS, "[" * 10_000, "a: " + "A" * 2**20, "7", "a: {b: {c: 1}}"])
def test_every_reader_of_yaml_refuses_the_same(text: str, tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(text)
    assert call("--config", path) == 2
    assert call("--model", f"routed:{path}", "--split", "demo", "--output", tmp_path / "run") == 2
    with pytest.raises((DataError, UsageError)):
        settle_recipe(options_with(str(path)))
    with pytest.raises((DataError, UsageError)):
        read_experiment(path)


@pytest.mark.parametrize("name", ["eager", "kernels-community/evil", "evil/repo@main:fn", "paged|evil/x"])
def test_a_checkpoint_does_not_choose_the_code_of_its_attention(name: str, tmp_path: Path) -> None:
    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
    from egocross_eval.model_adapters.checkpoints.weights import names_attention

    for config in ({"_attn_implementation": name}, {"text_config": {"attn_implementation": name}}):
        (tmp_path / "config.json").write_text(json.dumps(config))
        assert names_attention(Checkpoint(str(tmp_path)))
    (tmp_path / "config.json").write_text("{}")
    assert not names_attention(Checkpoint(str(tmp_path)))
