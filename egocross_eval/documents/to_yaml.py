"""YAML that is read here again."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from egocross_eval.documents.yaml_loader import FLOATS

if TYPE_CHECKING:
    import yaml


def yaml_text(content: object) -> str:
    """The YAML that `decode_yaml` reads as this content: texts such as `1e5` are in quotes, and nothing is an alias."""
    import yaml

    return yaml.dump(content, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=110)


@functools.cache
def _dumper() -> type[yaml.SafeDumper]:
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    Dumper.add_implicit_resolver(*FLOATS)
    return Dumper
