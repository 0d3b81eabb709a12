"""Is a prompt style one, or a verb?"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import partial

import msgspec

from egocross_eval.contracts.command import CommandType
from egocross_eval.contracts.style import PromptStyle, StyledText
from egocross_eval.prompts.renderer import option_block
from egocross_eval.testing.contract import Check, Contract
from egocross_eval.testing.material import questions

_STYLE = "Called with the question and its option block"
_SAID = "Its words hold the question's text and that of every option"
_MARKS = "it adds no control characters but line breaks and tabs"
_VERB = "Imports and returns the command when the verb is used."
_LINE = "One line for `egocross-eval --help`."


def style_checks(style: PromptStyle) -> Iterator[Check]:
    """The checks of a prompt style."""
    contract = Contract(f"prompt style {style.name}", "style")
    yield contract.check("words every question", _STYLE, partial(_words_questions, contract, style))


def _words_questions(contract: Contract, style: PromptStyle) -> None:
    first, *others = questions()
    for question in (first, msgspec.structs.replace(first, options={}), *others):
        asked = question.without_target()
        words = style.render(asked, option_block(asked.options))
        contract.require_type(words, StyledText, _STYLE)
        contract.require(bool(words.before or words.after), _STYLE, f"{question.key} is asked without a word")
        said = f"{words.system}\n{words.before}\n{words.after}"
        unsaid = [text for text in (asked.text, *asked.options.values()) if text not in said]
        contract.require(not unsaid, _SAID, f"{question.key} is asked without {unsaid[:1]}")
        own = sorted(_controls(said) - _controls("".join((asked.text, *asked.options.values()))))
        contract.require(not own, _MARKS, f"{question.key} is asked with {own}")
        again = style.render(asked, option_block(asked.options))
        contract.require(again == words, _STYLE, f"{question.key} is worded otherwise the second time")


def _controls(text: str) -> set[str]:
    """The control characters in a text, but for line breaks and tabs."""
    return {letter for letter in text if unicodedata.category(letter) == "Cc" and letter not in "\n\t"}


def command_checks(command: CommandType) -> Iterator[Check]:
    """The checks of a verb."""
    contract = Contract(f"verb {command.name}", "command")
    yield contract.check("is a click command with help", _VERB, partial(_has_help, contract, command))
    yield contract.check("is described in a line", _LINE, partial(_is_described, contract, command))


def _has_help(contract: Contract, command: CommandType) -> None:
    import click

    loaded = command.load()
    contract.require(isinstance(loaded, click.Command), _VERB, f"it loads {loaded!r}")
    text = loaded.get_help(click.Context(loaded, info_name=command.name))
    contract.require("Usage:" in text, _VERB, "it has no help")


def _is_described(contract: Contract, command: CommandType) -> None:
    words = command.description
    described = isinstance(words, str) and words.strip() and "\n" not in words
    contract.require(bool(described), _LINE, f"its description is {words!r}")
