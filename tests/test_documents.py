"""JSON, JSON lines and YAML that anyone may have written: what is wrong is said with file and place, in plain words."""

from __future__ import annotations

import codecs
import contextlib
import json
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.documents import (
    cited,
    decode_json,
    decode_json_lines,
    decode_yaml,
    not_finite,
    read_json,
    read_text,
    read_yaml,
    refuse_repeated_keys,
    yaml_text,
)
from egocross_eval.errors import DataError


class Inner(msgspec.Struct):
    score: float


class Thing(msgspec.Struct, forbid_unknown_fields=True):
    id: int
    kind: Literal["cat", "dog"] = "cat"
    names: list[str] = []
    inner: Inner | None = None
    by_name: dict[str, int] = {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "the content is a list, not a mapping"),
        ({"id": "1"}, "'id' is a text, not a whole number"),
        ({}, "there is no 'id'"),
        ({"id": 1, "nmaes": []}, "there is an unknown field 'nmaes'"),
        ({"id": 1, "kind": "cow"}, "'kind' is 'cow', which is none of the values it can have"),
        ({"id": 1, "names": ["a", None]}, "'names[1]' is null, not a text"),
        ({"id": 1, "inner": {}}, "'inner' has no 'score'"),
        ({"id": 1, "inner": 7}, "'inner' is a whole number, not a mapping or null"),
        ({"id": 1, "by_name": {"x": True}}, "'by_name.*' is true or false, not a whole number"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_in_plain_words(content: Any, message: str) -> None:
    with pytest.raises(DataError) as error:
        decode_json(json.dumps(content).encode(), Thing, "thing.json")
    assert str(error.value) == f"thing.json: {message}"
    with pytest.raises(DataError) as error:
        decode_yaml(yaml.safe_dump(content), Thing, "thing.yaml")
    assert re.fullmatch(rf"thing.yaml(, line \d)?: {re.escape(message)}(.*; known: .*)?", str(error.value))


class Wide(msgspec.Struct, forbid_unknown_fields=True):
    thing: Thing | None = None
    colour: Literal["red", "green"] = "red"
    several: list[dict[str, Literal["one", "two"]]] = []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "\nthings: 1",
            "w, line 2: there is an unknown field 'things' (did you mean 'thing'?); known: thing, colour, s",
        ),
        (
            "thing:\n  id: 1\ncolour: gren",
            "w, line 3: 'colour' is 'gren', which is none of the values it can have (did you mean 'green'?); known: gr",
        ),
        ("thing:\n  kind: cat\n  id: x", "w, line 3: 'thing.id' is a text, not a whole number"),
        (
            "several:\n- {a: one}\n- {b: tw}",
            "w, line 3: 'several[1].*' is 'tw', which is none of the values it can have (did you mean 'two'?); known: ",
        ),
    ],
)
def test_a_fault_in_yaml_is_said_with_its_line_and_with_what_could_stand_there(text: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        decode_yaml(text, Wide, "w")
    assert str(error.value).startswith(message)


def test_an_entry_of_a_list_is_named_by_place_and_id() -> None:
    with pytest.raises(DataError, match=r"^a: entry 2: 'kind' is 'cow', which .* \(id 7\)$"):
        decode_json(b'[{"id": 1}, {"id": 7, "kind": "cow"}]', list[Thing], "a")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b'{"id": 1', "it is cut off"),
        (b'{"id": 1,\n "kind": cat}', "line 2, column 10, at 'cat}'"),
        (b'{"id": NaN}', "line 1, column 8"),
        (b'{"id": ' + b"9" * 10_000 + b"}", "'id' can't be used: integer value out of range"),
        (b'{"id": 1, "names": ["\xff"]}', "not UTF-8 in line 1; save it as UTF-8"),
        ('{"id": 1}'.encode("utf-16"), "UTF-16; save it as UTF-8"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(content: bytes, message: str) -> None:
    with pytest.raises(DataError) as error:
        decode_json(content, Thing, "thing.json")
    assert str(error.value).startswith("thing.json")
    assert message in str(error.value)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_endless_nesting_is_refused_also_where_the_value_is_not_wanted(opening: bytes) -> None:
    for start, kind in ((b"", Any), (b'{"score": 1, "other": ', Inner)):
        with pytest.raises(DataError, match="nested too deeply"):
            decode_json(start + opening * 100_000, kind, "a")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(DataError):
        decode_json(content, Thing, "where")
    with contextlib.suppress(DataError):
        decode_yaml(content.decode("latin-1"), Thing, "where")


# PyYAML doesn't write all line breaks and control characters in a way that it reads again.
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert decode_json(json.dumps(value).encode(), Any, "a") == value
    assert decode_yaml(yaml_text(value), Any, "a") == value


@pytest.mark.parametrize("text", ["1e5", "-2E+3", "5.e1", "on", "2026-01-01", "null", "12:30"])
def test_a_text_that_looks_like_something_else_stays_a_text(text: str) -> None:
    shared = {text: text}
    assert decode_yaml(yaml_text([shared, shared]), list[dict[str, str]], "a") == [shared, shared]


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_byte_order_mark_makes_no_difference(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(mark + b'{"id": 3}')
    assert read_json(path, Thing).id == 3
    assert read_yaml(path, Thing).id == 3
    assert read_text(path) == '{"id": 3}'
    assert [line.id for _, line in decode_json_lines(mark + b'{"id": 3}\r\n\n{"id": 4}', Thing, "a")] == [3, 4]


def test_a_bad_line_is_named_by_its_number() -> None:
    with pytest.raises(DataError, match=r"^lines.jsonl, line 3: there is no 'id'"):
        list(decode_json_lines(b'{"id": 1}\n\n{}\n', Thing, "lines.jsonl"))


def test_a_key_that_stands_twice_is_named_where_that_matters() -> None:
    refuse_repeated_keys(b'{"a": {"x": 1}, "b": {"x": 1}}', "p.json")
    with pytest.raises(DataError, match=r"^p\.json: 'x' is there twice"):
        refuse_repeated_keys(b'{"a": {"x": 1, "x": 2}}', "p.json")


def test_the_kind_of_file_is_said_where_it_is_known(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("id: one")
    with pytest.raises(DataError, match=r"^model file .*m\.yaml, line 1: 'id' is a text"):
        read_yaml(tmp_path / "m.yaml", Thing, what="model file")


def test_yaml_keys_are_texts_and_numbers_are_numbers() -> None:
    content = decode_yaml("on: yes\n1: 5e-5\ndate: 2026-01-01\nnull: 1.5", dict[str, object], "a")
    assert content == {"on": True, "1": 5e-5, "date": "2026-01-01", "null": 1.5}


def test_a_yaml_file_of_comments_is_an_empty_mapping(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("# nothing yet\n")
    assert read_yaml(tmp_path / "c.yaml", dict[str, Any]) == {}


LAUGHS = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\nd: [*c, *c, *c]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, "line 2: aliases"),
        ("a: 1\nb: 2\na: 3", "line 3: 'a' is there twice"),
        ("a: !!python/object/apply:os.system [ls]", "line 1: it has a tag"),
        ("a: !mine x", "line 1: it has a tag"),
        ("[" * 100_000, "line 1: it is nested too deeply"),
        ("a: b: c", "line 1: there is a colon too many"),
        ("a:\n\tb: 1", "line 2: there is a tab"),
        ("? [a, b]\n: 1", "line 1: a key must be a plain text"),
        ("a: 'x", "line 1: this is no valid YAML"),
        ("a: \x00", "a character"),
        ("a: " + "9" * 10_000, "a number"),
    ],
)
def test_yaml_that_harms_or_misleads_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        decode_yaml(text, Any, "f.yaml")
    assert str(error.value).startswith("f.yaml")
    assert message in str(error.value)
    assert len(str(error.value)) < 200


def test_a_yaml_file_that_no_person_wrote_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "huge.yaml").write_bytes(b"a" * (2**20 + 1))
    with pytest.raises(DataError, match="more than"):
        read_yaml(tmp_path / "huge.yaml", Thing)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
def test_what_json_would_have_as_null_is_found_wherever_it_stands(value: Any) -> None:
    lost = json.dumps(value) != json.dumps(json.loads(msgspec.json.encode(value)))
    assert bool(not_finite(value)) == lost


def test_the_place_of_a_number_that_is_none_is_named() -> None:
    assert not_finite({"a": [Inner(score=1.0), Inner(score=-math.inf)]}) == "a.1.score is -inf"


def test_what_is_cited_is_short() -> None:
    assert cited("x") == "'x'"
    assert len(cited("x" * 1000)) == 60


class Bounded(msgspec.Struct):
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    device: Annotated[str, msgspec.Meta(pattern="^[a-z]+$")] = "cpu"


@pytest.mark.parametrize(
    ("content", "said"),
    [(b'{"count": 0}', "'count' must be a whole number from 1"), (b'{"device": "9"}', "'device' must be a text like")],
)
def test_a_value_out_of_bounds_is_said_in_words(content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        decode_json(content, Bounded, "file")
