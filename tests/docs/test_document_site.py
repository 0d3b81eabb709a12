"""The site of the documentation has every page, and links from page to page lead somewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import documented
import pytest
import yaml
from documented import ROOT
from public_site import CHANGELOG, changelog, code_of_tables, faults, places_of_words
from verb_pages import INDEX, anchor, in_navigation, index, page_of, pages, reference
from verb_tree import commands

import egocross_eval

DOCS = ROOT / "docs"
PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


def listed(entries: object) -> set[str]:
    """The pages of a part of mkdocs.yml's `nav`."""
    if isinstance(entries, str):
        return {entries}
    inner = entries.values() if isinstance(entries, dict) else entries
    assert isinstance(inner, list) or hasattr(inner, "__iter__")
    return {page for entry in inner for page in listed(entry)}


def test_every_page_is_in_the_navigation() -> None:
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert listed(nav) == {*PAGES, CHANGELOG}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_of_the_site(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
    assert [link for link in links if not (DOCS / page).parent.joinpath(link).resolve().is_file()] == []
    assert not [link for link in links if DOCS not in (DOCS / page).parent.joinpath(link).resolve().parents]


SNIPPETS = [
    (page, block)
    for page in ["README.md", *(f"docs/{name}" for name in PAGES)]
    for block in documented.fenced(page, "python")
]


@pytest.mark.parametrize(("page", "block"), SNIPPETS, ids=[page for page, _ in SNIPPETS])
def test_code_of_a_page_compiles_and_what_it_imports_is_there(
    page: str, block: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests of the single pages run it, too. The packages of plugins.md may import themselves."""
    for source in sorted(DOCS.parent.glob("tests/third_party/*/src")):
        monkeypatch.syspath_prepend(source)
    tree = ast.parse(block, page)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    compile(tree, page, "exec")
    exec(compile(ast.Module(body=list(imports), type_ignores=[]), page, "exec"), {})


def table_faults(text: str) -> list[str]:
    """Rows that the generator would show as raw text, or cells that it would drop: a row stands below a header and its
    line of dashes, without a gap, and has as many cells as these."""
    lines = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL).splitlines()
    faults, width, before = [], 0, ""
    for place, line in enumerate(lines):
        cells = re.split(r"(?<!\\)\|", re.sub(r"`[^`]*`", "code", line.strip()))
        if not line.startswith("|"):
            width = 0
        elif width == 0:
            below = lines[place + 1] if place + 1 < len(lines) else ""
            if before.strip() or not re.fullmatch(r"\|( *:?-+:? *\|)+", below):
                faults.append(line)
            width = len(cells)
        elif len(cells) != width:
            faults.append(line)
        before = line
    return faults


@pytest.mark.parametrize("page", PAGES)
def test_every_row_of_a_table_is_shown_in_it(page: str) -> None:
    assert table_faults((DOCS / page).read_text(encoding="utf-8")) == []


def test_a_row_outside_of_its_table_is_found() -> None:
    table = "| a | b |\n|---|---|\n| 1 | `x|y` |\n"
    assert table_faults(f"Words.\n\n{table}\nWords.\n") == []
    assert table_faults(f"{table}\n| 2 | 3 |\n") == ["| 2 | 3 |"]
    assert table_faults(f"{table}| 2 |\n") == ["| 2 |"]
    assert table_faults(f"Words.\n{table}") == ["| a | b |"]


def test_each_verb_has_a_page_with_every_option_that_its_help_shows() -> None:
    found = {**pages(), INDEX: index(documented.text_of(f"docs/{INDEX}"))}
    for path, command in commands():
        section = "\n".join(reference(path, command))
        options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
        assert section in found[page_of(path) if path else INDEX]
        assert [flag for one in options for flag in one.opts if flag not in section] == []


def test_the_index_leads_to_every_verbs_page_and_each_page_to_the_verbs_within() -> None:
    links = re.findall(r"\]\(([^)\s]+)#([^)\s]+)\)", index(documented.text_of(f"docs/{INDEX}")))
    known = {(Path(page_of(path)).name, anchor(path)) for path, _ in commands() if path}
    of_verbs = {link for link in links if "/" not in link[0]}
    assert of_verbs <= known
    assert {page for page, _ in of_verbs} == {page for page, _ in known}
    within = {anchor(path) for path, _ in commands() if " " in path}
    assert {
        name for page in pages().values() for name in re.findall(r"^- .*\(#([^)]+)\)", page, re.MULTILINE)
    } == within


def test_the_navigation_has_the_verbs_pages_below_their_index() -> None:
    nav = in_navigation([{"Home": "index.md"}, {"Reference": [{"Command line": INDEX}, {"Files": "run-folder.md"}]}])
    assert listed(nav) == {"index.md", "run-folder.md", INDEX, *pages()}
    assert nav[1]["Reference"][0]["Command line"][:2] == [INDEX, {"run": "reference/command-line/run.md"}]


@pytest.mark.parametrize(
    ("default", "told"), [(None, ""), ("a|b_c_", " &#91;default: a&#124;b&#95;c&#95;&#93;")], ids=["none", "marks"]
)
def test_help_is_shown_as_it_is_meant_with_the_default_where_there_is_one(default: object, told: str) -> None:
    option = click.Option(["--some", "some"], default=default, show_default=True, help="Of `a`, *b* | <c>.")
    (row,) = [line for line in reference("verb", click.Command("verb", params=[option])) if "--some" in line]
    assert row == f"| <code>--some TEXT</code> | Of <code>a</code>, &#42;b&#42; &#124; &lt;c&gt;.{told} |"


@pytest.mark.parametrize(
    ("built", "found"),
    [
        ("<p>a <code>`b` | c</code></p><script>`d`|</script>", []),
        ("<td>Sentinel.UNSET</td>", ["Sentinel", "UNSET"]),
        ("<code>&lt;object object at 0x7f2a31c0&gt;</code>", ["<object object at 0x7f2a31c0>"]),
        ("<p><br>| a | b |</p>", ["| a | b |"]),
        ("<td>``</td>", ["``"]),
        ("<td><code>int \\| None</code></td>", ["\\| None"]),
        ('<div class="doc-signature highlight"><pre>a: Annotated[int, 1]</pre></div>', ["Annotated[int, 1]"]),
        ("<p>Write <code>Annotated[float, NEUTRAL]</code>.</p>", []),
    ],
)
def test_what_shows_through_in_a_built_page_is_found(built: str, found: list[str]) -> None:
    assert faults(f"<html><body>{built}</body></html>") == found


def test_the_changelog_is_the_repositorys_and_leads_to_the_pages_that_it_names() -> None:
    text = documented.text_of("CHANGELOG.md")
    assert re.sub(r"\[([^]]+)\]\(\1\)", r"docs/\1", changelog()) == text
    linked = re.findall(r"\]\(([^)]+)\)", changelog())
    assert set(linked) == set(re.findall(r"docs/([\w/-]+\.md)", text))
    assert set(linked) <= set(PAGES)


def test_the_site_has_a_place_for_each_word_of_the_glossary() -> None:
    table = "| word | what |\n|---|---|\n| macro average | a \\| b |\n"
    assert places_of_words(table) == table.replace("| macro", '| <a id="macro-average"></a>macro')


def test_the_python_reference_has_every_public_name_once() -> None:
    named = re.findall(r"^::: egocross_eval\.(\w+)$", documented.text_of("docs/reference/python.md"), re.MULTILINE)
    assert sorted(named) == sorted({*egocross_eval.__all__, "testing"} - {"__version__"})


def test_marks_within_the_code_of_a_table_are_for_other_readers() -> None:
    row, outside = "| `a \\| b` | c \\| d |", "`a \\| b`"
    assert code_of_tables(f"{row}\n{outside}") == f"| `a | b` | c \\| d |\n{outside}"
