"""Writes the package of a new plugin: code that passes its tests at once, to be replaced by one's own."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from importlib.resources import files
from pathlib import Path

from egocross_eval.errors import UsageError

KINDS = {
    "adapter": ("A model adapter", "egocross-eval --model {name}:model --split demo"),
    "task": ("A benchmark", "egocross-eval --model baseline:chance --tasks {name}"),
    "method": ("A method", "egocross-eval --model baseline:chance --split demo --method {name}"),
    "grader": ("A grader", "egocross-eval plugins"),
    "style": ("A prompt style", "egocross-eval show 5 --split demo --style {name}"),
    "exporter": ("An exporter", "egocross-eval export RUN --to {name}"),
    "verb": ("A verb", "egocross-eval {name} RUN"),
}
"""What can be written, what it is, and a command that uses it."""

_PARTS = {
    "adapter": "model_adapters",
    "task": "tasks",
    "method": "methods",
    "grader": "graders",
    "style": "prompt_styles",
    "exporter": "exporters",
    "verb": "commands",
}
"""By kind, the field of a plugin's record that lists such parts."""

_TESTED = ("verb",)
"""Kinds with a test beside the conformance suite, which knows nothing of what they do."""

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def write_package(name: str, kind: str, parent: Path) -> Path:
    """Writes the package `name` into a new folder below `parent` and returns that folder.

    Raises `UsageError` for a name that no package can have or that something here has already, and where the folder
    exists already.
    """
    folder = parent / _checked(name)
    _refuse_taken(name, kind)
    if folder.exists():
        raise UsageError(f"{folder} exists already; choose another name or --output")
    module = name.replace("-", "_")
    what, command = KINDS[kind]
    words = {
        "name": name,
        "module": module,
        "title": name.replace("-", " ").capitalize(),
        "what": what,
        "command": command.format(name=name),
    }
    texts = {
        "pyproject.toml": _rendered("pyproject.toml", words),
        "README.md": _rendered("README.md", words),
        f"src/{module}/__init__.py": _rendered(f"{kind}.py", words),
        f"src/{module}/py.typed": "",
        "tests/test_contract.py": _rendered("test_contract.py", words),
    }
    if kind in _TESTED:
        texts[f"tests/test_{kind}.py"] = _rendered(f"test_{kind}.py", words)
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def _checked(name: str) -> str:
    module = name.replace("-", "_")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} can't name a plugin: small letters, digits and single hyphens, a letter first")
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or module == "egocross_eval":
        raise UsageError(f"{name!r} can't name a plugin: Python has a module or a word {module!r}; choose another")
    return name


def _refuse_taken(name: str, kind: str) -> None:
    """Raises `UsageError` where another plugin or package has the name: the new one would be broken, or hide it. A
    plugin that was made under the very name and installed is written anew."""
    from egocross_eval.cli.main import VERBS
    from egocross_eval.contracts.registry import registry

    if kind == "verb" and name in VERBS:
        raise UsageError(f"{name!r} is a verb of egocross-eval already ('egocross-eval --help'); choose another")
    module = name.replace("-", "_")
    own = next((plugin for plugin in registry().plugins if plugin.name == name), None)
    if own is not None and own.distribution == name:
        return
    part = _PARTS[kind]
    taken = next((plugin for plugin in registry().plugins if name in getattr(plugin, part)), own)
    if taken is not None:
        article = "an" if kind[0] in "aeiou" else "a"
        what = f"{article} {kind}" if own is None else "a plugin"
        raise UsageError(
            f"{name!r} is {what} of {taken.distribution} already ('egocross-eval plugins'); choose another"
        )
    there = importlib.util.find_spec(module)
    # A mere folder of that name on the path has no origin.
    if there is not None and there.origin is not None:
        raise UsageError(f"{name!r} can't name a plugin: a package {module!r} is installed here; choose another")


def _rendered(name: str, words: dict[str, str]) -> str:
    from jinja2 import Environment, StrictUndefined

    source = (files(__name__) / f"{name}.j2").read_text(encoding="utf-8")
    # Python and Markdown, not HTML; and nothing in the words needs escaping: the name is checked.
    template = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701
    return template.from_string(source).render(words)
