"""PyYAML within bounds, and its faults in plain words."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from egocross_eval.documents.text import cited
from egocross_eval.errors import DataError

if TYPE_CHECKING:
    import yaml

YAML_LARGEST = 2**20
"""Most bytes of a YAML file: people write them by hand."""

_YAML_DEPTH = 32

FLOATS = (
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)
"""What is a number here too: YAML 1.1 takes 5e-5 for a text, as it wants a point in it."""


def parsed_yaml(text: str, where: str) -> Any:
    """Mappings, lists, texts, numbers, truth values and none. Raises `DataError` with the line of what is refused."""
    import yaml

    try:
        return yaml.load(text, Loader=loader())  # noqa: S506 - derived from the safe one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}" if mark else ""
        raise DataError(f"{where}{place}: {_yaml_fault(error)}") from None
    except (yaml.YAMLError, ValueError):
        raise DataError(f"{where} has a character or a number that YAML doesn't allow") from None


def _yaml_fault(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    if problem.startswith("refused: "):
        return problem.removeprefix("refused: ")
    if "constructor for the tag" in problem:
        return "it has a tag ('!...'), and only plain values are read"
    if "\\t" in problem:
        return "there is a tab; indent by spaces"
    if "mapping values" in problem:
        return "there is a colon too many; is the indentation right, and is a text with ': ' in quotes?"
    return "this is no valid YAML; is the indentation right, and is every quote and bracket closed?"


@functools.cache
def loader() -> type[yaml.SafeLoader]:
    """PyYAML's safe loader without what harms or surprises."""
    import yaml

    class Loader(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            if self.check_event(yaml.AliasEvent):
                self._refuse(self.peek_event().start_mark, "aliases ('*name') are refused; write the value out")  # type: ignore[no-untyped-call]
            self.depth += 1
            if self.depth > _YAML_DEPTH:
                self._refuse(self.peek_event().start_mark, "it is nested too deeply")  # type: ignore[no-untyped-call]
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            content: dict[str, Any] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    self._refuse(key.start_mark, "a key must be a plain text")
                if key.value in content:
                    self._refuse(key.start_mark, f"{cited(key.value)} is there twice")
                content[key.value] = self.construct_object(value, deep=True)
            return content

        def _refuse(self, mark: yaml.Mark, why: str) -> None:
            raise yaml.MarkedYAMLError(problem=f"refused: {why}", problem_mark=mark)

    # A date is a text here.
    Loader.yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in forms if not tag.endswith(":timestamp")]
        for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver(*FLOATS)
    return Loader
