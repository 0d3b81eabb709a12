"""Is a prompt style one, an exporter, a verb?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from egocross_eval.api import evaluate, export_run
from egocross_eval.contracts.command import CommandType
from egocross_eval.contracts.exporter import Exporter
from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.style import PromptStyle, StyledText
from egocross_eval.errors import EgoCrossError, UsageError
from egocross_eval.prompts.renderer import option_block
from egocross_eval.testing.contract import Check, Contract, NotPromised
from egocross_eval.testing.material import questions

_STYLE = "Called with the question and its option block"
_SAID = "Its words hold the question's text and that of every option."
_EXPORT = "writes the run to the path and says in one line what it wrote; raises"
_VERB = "Imports and returns the command when the verb is used."


def style_checks(style: PromptStyle) -> Iterator[Check]:
    """The checks of a prompt style."""
    contract = Contract(f"prompt style {style.name}", "style")
    yield Check(f"{contract.part}: words every question", partial(_words_questions, contract, style))


def _words_questions(contract: Contract, style: PromptStyle) -> None:
    first, *others = questions()
    for question in (first, msgspec.structs.replace(first, options={}), *others):
        asked = question.without_target()
        words = style.render(asked, option_block(asked.options))
        contract.require(isinstance(words, StyledText), _STYLE, f"{words!r} is no StyledText")
        contract.require(bool(words.before or words.after), _STYLE, f"{question.key} is asked without a word")
        said = f"{words.system}\n{words.before}\n{words.after}"
        unsaid = [text for text in (asked.text, *asked.options.values()) if text not in said]
        contract.require(not unsaid, _SAID, f"{question.key} is asked without {unsaid[:1]}")
        again = style.render(asked, option_block(asked.options))
        contract.require(again == words, _STYLE, f"{question.key} is worded otherwise the second time")


def exporter_checks(exporter: Exporter) -> Iterator[Check]:
    """The checks of an exporter, on a small run."""
    contract = Contract(f"exporter {exporter.name}", "exporter")
    yield Check(f"{contract.part}: writes a run where it should", partial(_writes, contract, exporter))


def _writes(contract: Contract, exporter: Exporter) -> None:
    with TemporaryDirectory(prefix="egocross-conformance-") as folder:
        run = _run_for(exporter, Path(folder) / "run")
        before, output = _hashes(run), Path(folder) / "exported" / exporter.default
        output.parent.mkdir()
        try:
            line = export_run(run, exporter.name, output=output)
        except UsageError as error:
            raise NotPromised(f"it refuses a run of the demo benchmark: {error}") from error
        contract.require(output.exists(), _EXPORT, f"nothing is at {output.name}")
        contract.require(bool(line) and "\n" not in line, _EXPORT, f"it says {line!r}")
        contract.require(_hashes(run) == before, _EXPORT, "files of the run were changed")


def _run_for(exporter: Exporter, folder: Path) -> Path:
    """A small run of the first benchmark that the exporter takes and that can be asked without data of the user's."""
    known = registry().benchmarks()
    for task in registry().tasks.values():
        if task.benchmark.name not in (exporter.benchmarks or tuple(known)):
            continue
        for split in task.benchmark.splits:
            try:
                return evaluate("baseline:chance", task.name, split=split, limit=8, output=folder, frames="none").path
            except EgoCrossError:
                continue
    raise NotPromised("no benchmark that it takes can be asked here")


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


def command_checks(command: CommandType) -> Iterator[Check]:
    """The checks of a verb."""
    contract = Contract(f"verb {command.name}", "command")
    yield Check(f"{contract.part}: is a click command with help", partial(_has_help, contract, command))


def _has_help(contract: Contract, command: CommandType) -> None:
    import click

    loaded = command.load()
    contract.require(isinstance(loaded, click.Command), _VERB, f"it loads {loaded!r}")
    text = loaded.get_help(click.Context(loaded, info_name=command.name))
    contract.require("Usage:" in text, _VERB, "it has no help")
