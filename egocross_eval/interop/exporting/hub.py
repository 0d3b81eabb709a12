"""Results as the Hugging Face Hub shows them on a model's page: `.eval_results/<benchmark>.yaml`, and the pull request
that brings it there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from egocross_eval.counted import counted
from egocross_eval.errors import RunError, UsageError
from egocross_eval.files import make_parent, write_file
from egocross_eval.interop.exporting.forms import MADE_BY, benchmark_of, refuse_incomplete, settings_text
from egocross_eval.reachable import reachable

if TYPE_CHECKING:
    from huggingface_hub import EvalResultEntry

    from egocross_eval.contracts.exporter import ExportedRun
    from egocross_eval.interop.exporting.options import HubOptions
    from egocross_eval.schema import Figure

FOLDER = ".eval_results"


def export(run: ExportedRun, path: Path, options: HubOptions) -> str:
    """Writes the results file into a folder that stands for the model's repository; shows or opens a pull request.

    Raises `UsageError` for a run that isn't complete or not over the whole split, and where a token or the Hub is
    missing; a `RunError` where the Hub refuses.
    """
    _check(run, options)
    entries = _entries(run, options)
    name = f"{FOLDER}/{run.record.benchmark.name}.yaml"
    content = _yaml(entries)
    target = path / name
    make_parent(target)
    write_file(target, content)
    said = f"wrote {target}: {counted(len(entries), 'value')}"
    if not options.repo:
        return said
    if options.open:
        return f"{said}\nopened {_pull_request(options.repo, name, content, run)}"
    return (
        f"{said}\n\na pull request to https://huggingface.co/{options.repo} would put this into {name}:\n\n{content}\n"
        f"add open=true to open it: --to hub,repo={options.repo},open=true"
    )


def _check(run: ExportedRun, options: HubOptions) -> None:
    refuse_incomplete(run, "the Hub")
    record = run.record
    size = record.benchmark.sizes.get(record.settings.split)
    if size != record.question_count:
        whole = f"{size} questions" if size else f"one of {', '.join(record.benchmark.sizes) or 'no split'}"
        raise UsageError(
            f"{run.name} is over {counted(record.question_count, 'question')} of the split "
            f"{record.settings.split!r}; the Hub "
            f"compares results over the whole split ({whole})"
        )
    if options.source_name and not options.source:
        raise UsageError("source_name names the address of source: give both")
    if options.open:
        if not options.repo:
            raise UsageError("open=true needs the model's repository: repo=OWNER/NAME")
        _refuse_without_hub()


def _refuse_without_hub() -> None:
    from huggingface_hub import constants, get_token

    if get_token() is None:
        raise UsageError("a pull request needs a token: run 'hf auth login', or set HF_TOKEN")
    if not reachable(constants.ENDPOINT):
        raise UsageError(f"a pull request needs the Hub, and no server answers at {constants.ENDPOINT}")


def _entries(run: ExportedRun, options: HubOptions) -> list[EvalResultEntry]:
    """Micro, macro, then each part, in percent with two decimals: enough to tell the number of right answers from."""
    from huggingface_hub import EvalResultEntry

    benchmark = benchmark_of(run)
    dataset = options.dataset or benchmark.hub_dataset
    if not dataset:
        raise UsageError(f"{benchmark.title} names no dataset on the Hub: give it by dataset=OWNER/NAME")
    return [
        EvalResultEntry(
            dataset_id=dataset,
            task_id=task,
            value=round(100 * figure.accuracy, 2),
            dataset_revision=options.revision or None,
            date=run.record.created_at[:10],
            source_url=options.source or None,
            source_name=options.source_name or None,
            notes=f"{MADE_BY}: {settings_text(run)}",
        )
        for task, figure in _figures(run, benchmark.hub_task or benchmark.name).items()
    ]


def _figures(run: ExportedRun, task: str) -> dict[str, Figure]:
    results = run.results
    found = {task: results.micro, f"{task}_macro": results.macro}
    parts = results.groups.get(run.record.benchmark.macro, {})
    found |= {f"{task}_{part.lower()}": figure for part, figure in parts.items()}
    return {name: figure for name, figure in found.items() if figure is not None}


def _yaml(entries: list[EvalResultEntry]) -> str:
    from huggingface_hub import eval_result_entries_to_yaml

    return yaml.safe_dump(eval_result_entries_to_yaml(entries), sort_keys=False, allow_unicode=True, width=1000)


def _pull_request(repository: str, name: str, content: str, run: ExportedRun) -> str:
    """Opens a pull request that adds the file; its address."""
    from huggingface_hub import CommitOperationAdd, HfApi

    title = run.record.benchmark.title
    try:
        commit = HfApi().create_commit(
            repository,
            [CommitOperationAdd(path_in_repo=name, path_or_fileobj=content.encode())],
            commit_message=f"Results on {title}",
            commit_description=f"Measured by {MADE_BY}: {settings_text(run)}.",
            create_pr=True,
        )
    except Exception as error:  # the Hub's refusal, or whatever its client's HTTP library raises of the network
        raise RunError(f"the Hub took no pull request to {repository}: {error}") from error
    return str(commit.pr_url)
