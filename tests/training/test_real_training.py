"""Training for real on the CPU, with llamafactory: `make test-training` runs these.

They need the training environment and are left out of the other suites, as it is large.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from training_files import example, write_support

from egocross_eval.api import evaluate
from egocross_eval.errors import RunError, UsageError
from egocross_eval.plugins.manager import registry
from egocross_eval.training.card import read_card, warnings_for
from egocross_eval.training.checkpoint_doctor import examine
from egocross_eval.training.environment import TrainingEnvironment, find_environment
from egocross_eval.training.merging import merge
from egocross_eval.training.parity import compare_tokens, refuse_difference
from egocross_eval.training.plan import TrainOptions, plan_training
from egocross_eval.training.recipes import RECIPE_NAMES, check_arguments, known_arguments, load_recipe
from egocross_eval.training.session import train
from egocross_eval.training.trial import try_answer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(
        not os.environ.get("EGOCROSS_TRAINING_TESTS"), reason="needs the training environment: run make test-training"
    ),
]

CHANGES = ("cutoff_len=4096", "learning_rate=1e-3", "gradient_accumulation_steps=2")


@pytest.fixture(scope="module")
def environment() -> TrainingEnvironment:
    """The user's own, built where it isn't there yet: this comes before a test's private cache."""
    named = os.environ.get("EGOCROSS_TRAINING_PYTHON")
    return find_environment(Path(named) if named else None, say=print)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from egocross_eval.model_adapters.tiny import build_tiny

    path = tmp_path_factory.mktemp("base") / "tiny"
    build_tiny(path)
    return path


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from egocross_eval.benchmark.demo import write_demo

    root = tmp_path_factory.mktemp("bench")
    write_demo(root, per_cell=1, frame_scale=0.4)
    return root


def options(base: Path, bench: Path, output: Path, **changes: object) -> TrainOptions:
    chosen = TrainOptions(
        model=str(base),
        data=bench,
        output=output,
        domains=("animal",),
        recipe="full",
        changes=CHANGES,
        frames="uniform:3",
        max_pixels=4096,
        gpus=0,
    )
    return msgspec.structs.replace(chosen, **changes)


def test_the_recipes_are_known_to_llamafactory_and_mistakes_get_suggestions(environment: TrainingEnvironment) -> None:
    known = known_arguments(environment)
    for name in RECIPE_NAMES:
        check_arguments(load_recipe(name).arguments, known, name)
    with pytest.raises(UsageError, match="did you mean 'lora_rank'"):
        check_arguments({"lora_ranks": 8}, known, "--set")


def test_the_environment_imports_together(environment: TrainingEnvironment) -> None:
    """Published failure 3: an unpinned installation pulls a torch that torchaudio can't be imported beside."""
    code = "import torch, torchvision, torchaudio, transformers, llamafactory, deepspeed; print('together')"
    done = subprocess.run([str(environment.python), "-c", code], capture_output=True, text=True, check=False)
    assert "together" in done.stdout, done.stderr[-2000:]


def test_full_fine_tuning_makes_a_checkpoint_that_evaluation_loads(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path
) -> None:
    plan = plan_training(options(base, bench, tmp_path / "out"), registry())
    done = train(plan, environment)
    card = read_card(done.model)
    assert card is not None
    assert card.parity == "equal in all 20 examples compared"
    # What the trainer itself counted is what was promised.
    assert card.steps == plan.steps == 20
    assert card.loss[-1][1] < card.loss[0][1]
    assert (done.model / "training_loss.png").is_file()
    found = examine(done.model, None, repair=True)
    assert not [diagnosis for diagnosis in found if diagnosis.status == "broken"]
    assert "for a question of" in try_answer(done.model)
    run = evaluate(
        f"hf:{done.model}",
        "animal",
        data=bench,
        output=tmp_path / "run",
        answer="choose",
        frames="uniform:3",
        max_pixels=4096,
    )
    assert run.results.complete
    assert warnings_for(done.model, run.record.settings) == []
    # Published failure 5: a run without the cap that training had is warned of.
    uncapped = msgspec.structs.replace(run.record.settings, max_pixels=None)
    assert "--max-pixels None instead of 4096" in warnings_for(done.model, uncapped)[0]
    assert train(plan, environment).card == card


def test_lora_trains_merges_and_both_forms_answer_alike(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path
) -> None:
    changes = ("cutoff_len=4096", "learning_rate=1e-2", "lora_dropout=0")
    chosen = options(base, bench, tmp_path / "out", recipe="lora", changes=changes)
    done = train(plan_training(chosen, registry()), environment)
    merged = merge(done.model, tmp_path / "merged", environment)
    assert not [diagnosis for diagnosis in examine(merged, None, repair=True) if diagnosis.status == "broken"]
    scores = []
    for number, spec in enumerate((f"hf:{base},lora={done.model}", f"hf:{merged}", f"hf:{base}")):
        run = evaluate(
            spec,
            "animal",
            data=bench,
            output=tmp_path / f"run{number}",
            answer="choose",
            frames="uniform:3",
            max_pixels=4096,
        )
        scores.append([sample.response.scores for sample in run.samples])
    for beside, whole, untrained in zip(*scores, strict=True):
        assert beside is not None
        assert whole == pytest.approx(beside, abs=1e-3)
        assert untrained != pytest.approx(beside, abs=1e-3)


def test_a_killed_training_goes_on_from_its_last_checkpoint(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path
) -> None:
    words = ["train", "--model", str(base), "--data", str(bench), "--domain", "animal", "--recipe", "full"]
    words += ["--gpus", "0", "--frames", "uniform:3", "--max-pixels", "4096", "--output", str(tmp_path / "out")]
    words += ["--python", str(environment.python), "--set", "num_train_epochs=6", "--set", "save_strategy=steps"]
    for change in (*CHANGES, "save_steps=4"):
        words += ["--set", change]
    command = [sys.executable, "-m", "egocross_eval", *words]
    model = tmp_path / "out" / "model"
    first = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)
    while not (model / "checkpoint-8" / "trainer_state.json").is_file():
        assert first.poll() is None, first.stderr.read() if first.stderr else ""
        time.sleep(0.05)
    _kill_tree(first.pid)
    first.wait()
    assert read_card(model) is None
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr[-3000:]
    assert "going on from step" in second.stderr
    card = read_card(model)
    assert card is not None
    assert card.steps == 60
    assert [step for step, _ in card.loss] == list(range(1, 61))


def _kill_tree(pid: int) -> None:
    """SIGKILL to a process and to every process below it, whatever session they're in."""
    children: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == pid:
                children.append(int(entry.name))
    os.kill(pid, signal.SIGKILL)
    for child in children:
        _kill_tree(child)


def test_the_published_registration_fails_and_ours_does_not(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path
) -> None:
    """Published failure 1: without tags LLaMA-Factory stops with KeyError 'from'."""
    import egocross_eval.training.dataset as dataset

    plan = plan_training(options(base, bench, tmp_path / "out"), registry())
    assert compare_tokens(plan, environment).differing == 0
    before = dataset.TAGS
    # What LLaMA-Factory takes where a registration has no tags.
    dataset.TAGS = {"role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt"}
    try:
        with pytest.raises(RunError, match="lacks its tags"):
            compare_tokens(plan, environment)
    finally:
        dataset.TAGS = before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        # Published failure 2: the thinking template writes an empty block before the letter.
        (("template=qwen3_vl",), "think>"),
        (("default_system=You are helpful.",), "You are helpful"),
        (("image_max_pixels=1024",), "image_pad"),
    ],
)
def test_training_on_other_tokens_than_evaluation_sends_is_refused(
    environment: TrainingEnvironment, base: Path, bench: Path, tmp_path: Path, changes: tuple[str, ...], message: str
) -> None:
    capped = "image_max_pixels" in changes[0]
    chosen = options(base, bench, tmp_path / "out", limit=4, changes=(*CHANGES, *changes))
    plan = plan_training(msgspec.structs.replace(chosen, max_pixels=None if capped else 4096), registry())
    if capped:
        # The cap of training is the budget of evaluation unless somebody changes the one behind the other's back.
        renderer = msgspec.structs.replace(plan.renderer, max_pixels=4096)
        trained = tuple(
            msgspec.structs.replace(one, prompt=msgspec.structs.replace(one.prompt, max_pixels=4096))
            for one in plan.trained
        )
        plan = msgspec.structs.replace(plan, renderer=renderer, trained=trained)
    parity = compare_tokens(plan, environment)
    assert parity.differing == 4
    with pytest.raises(UsageError) as caught:
        refuse_difference(parity, plan)
    assert message in str(caught.value)
    assert "--allow-difference" in str(caught.value)


def test_a_frame_that_vanishes_is_named_with_the_remedy(
    environment: TrainingEnvironment, base: Path, tmp_path: Path
) -> None:
    root = write_support(tmp_path / "data", [example("005", n, "ABCD"[n % 4]) for n in range(4)])
    plan = plan_training(options(base, root, tmp_path / "out", frames="all"), registry())
    frame = Path(plan.trained[0].prompt.frame_paths()[0])
    backup = frame.read_bytes()
    frame.unlink()
    with pytest.raises((RunError, UsageError), match=frame.name):
        train(plan, environment)
    frame.write_bytes(backup)
    shutil.rmtree(tmp_path / "out")


def test_a_wrong_path_of_the_model_is_an_error_at_once(bench: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        plan_training(options(tmp_path / "nowhere", bench, tmp_path / "out"), registry())


def test_it_learns(environment: TrainingEnvironment, tmp_path: Path) -> None:
    """A mistake in prompt, order of frames, template or labels would leave it at chance."""
    from egocross_eval.benchmark.demo import write_demo
    from egocross_eval.model_adapters.tiny import TinyShape, build_tiny
    from egocross_eval.scoring.paired import mcnemar_exact
    from egocross_eval.training.dataset import Curriculum

    root, base = tmp_path / "bench", tmp_path / "base"
    write_demo(root, per_cell=60, training=2400, training_domains=("animal",), frame_scale=0.4)
    build_tiny(base, shape=TinyShape(frame_pixels=8192))
    tasks = ("animal-identification", "interaction-identification")
    chosen = TrainOptions(
        model=str(base),
        data=root,
        output=tmp_path / "out",
        questions_file=root / "egocross_support_set" / "training.json",
        tasks=tasks,
        recipe="tiny",
        style="challenge",
        frames="uniform:1",
        gpus=0,
        curriculum=Curriculum(passes=14, sort_until=0.15, shuffle_from=0.6),
    )
    done = train(plan_training(chosen, registry()), environment)
    settings = {"style": "challenge", "frames": "uniform:1", "max_pixels": 8192, "answer": "choose", "data": root}
    runs = [
        evaluate(f"hf:{model}", ",".join(tasks), output=tmp_path / name, **settings)
        for name, model in (("before", base), ("after", done.model))
    ]
    before, after = ([sample.outcome == "right" for sample in run.samples] for run in runs)
    assert len(after) == 120
    gained = sum(b and not a for a, b in zip(before, after, strict=True))
    lost = sum(a and not b for a, b in zip(before, after, strict=True))
    assert gained > lost
    assert mcnemar_exact(gained, lost) < 0.001
    assert sum(after) / len(after) > 0.45
