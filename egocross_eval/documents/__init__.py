"""Reads JSON, JSON lines and YAML that anyone may have written; whatever is wrong is said with file and place.

All of it is UTF-8, with or without a byte-order mark. Messages are in the words of this package, not in those of a
library, and what they cite is cut short.
"""

from egocross_eval.documents.faults import explained, fault_keys
from egocross_eval.documents.finite import not_finite
from egocross_eval.documents.from_json import (
    decode_entries,
    decode_json,
    decode_json_lines,
    read_json,
    refuse_repeated_keys,
)
from egocross_eval.documents.from_yaml import decode_yaml, read_yaml
from egocross_eval.documents.places import Place, read_place, yaml_lines
from egocross_eval.documents.text import cited, decode_text, read_text
from egocross_eval.documents.to_yaml import yaml_text
from egocross_eval.documents.yaml_loader import YAML_LARGEST

__all__ = [
    "YAML_LARGEST",
    "Place",
    "cited",
    "decode_entries",
    "decode_json",
    "decode_json_lines",
    "decode_text",
    "decode_yaml",
    "explained",
    "fault_keys",
    "not_finite",
    "read_json",
    "read_place",
    "read_text",
    "read_yaml",
    "refuse_repeated_keys",
    "yaml_lines",
    "yaml_text",
]
