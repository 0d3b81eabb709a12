"""The options of a question as an output may quote them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from egocross_eval.reading.patterns import Pattern, word_set
from egocross_eval.reading.text.characters import folded
from egocross_eval.reading.text.markup import cleaned
from egocross_eval.reading.text.offsets import View
from egocross_eval.reading.text.tokens import TOKEN, Token, tokens, word_of

_UNITS = word_set("s | min | h | hours | minutes | mm | cm | m | km | g | mg | kg | ml | l | hz")
_STOP = Pattern(r"[.,;:!?()\n\"|。,、\]]|--|–|—| - ", 0)
_BREAK = Pattern(r"[.!?;:](?=\s)|\n", 0)
_COUNTED = Pattern(r"\b(?:second|minute|frame|step|figure|scene|question|camera)\s\Z")
_RANGE_ON = Pattern(r"[-–]\d", 0)
# Part of a sum: "3 + 1", "12 plus 15", "2 more than 1".
_OPERATOR = r"(?:\s?[+×÷*/]\s?|\s[x–-]\s|\s(?:plus|minus|times|divided by|multiplied by)\s)"
_OPERAND_ON = Pattern(rf"{_OPERATOR}[(]?\d|\s(?:more|less|fewer|greater|times|percent)\b")
_OPERAND_AFTER = Pattern(rf"[\d)]{_OPERATOR}[(]?\Z|\bthan\s\Z")
_WORD_CHARACTER = Pattern(r"\w", 0)
_QUOTED_LETTER = Pattern(r"\b(?:option|choice|answer)s? [a-z]\b")
_NAMES_LETTER = Pattern(r"\A\W*[A-Z]?\W*\Z|<ima?ge?|\b[B-HJ-Z]\b|\bA\Z|\bA (?:is|and)\b", 0)
_ARTICLE = Pattern(r"[\s\"'(]*(?:an?|the)[ \t]+(?=\w)")
_ARTICLES = frozenset({"a", "an", "the"})
# Alike only where they are all that is said: "one" is a pronoun too.
_ONE = {"one": "1", "1": "one"}
# Texts that a sentence says for many reasons besides answering.
_GENERIC = word_set(
    """
    yes | no | true | false | left | right | up | down | none | both | neither | all | other | same | different | not
    sure | unknown | correct | incorrect | good | bad | more | less | before | after | one | first | second | third
    fourth | he | she | it | they | is | the | in | on | 是 | 否 | 对 | 错 | 有 | 无
    """
)
# Words that may follow a quoted option text without making it part of a longer phrase.
_FOLLOWERS = word_set(
    """
    because | since | as | for | due | given | based | which | that | where | when | while | who | and | or | but | so
    is | was | are | were | has | have | in | on | at | to | of | with | by | from | if | then | than | rather | instead
    not | also | would | should | seems | appears | can | could | may | might | will | does | do | did | 因 | 为 | 的
    是 | 而 | 在 | 和 | 或 | 吧
    """
)


class TextMention(NamedTuple):
    """An option's text found in another text; `closed` when the phrase ends there, `generic` for words like "no"."""

    start: int
    end: int
    letter: str
    closed: bool
    generic: bool


def _key(text: str) -> tuple[str, ...]:
    """The words of an option's text without its article; in "A is closer" the A is none."""
    words = [token.word for token in tokens(cleaned(folded(View.of(text))).text)]
    while len(words) > 1 and words[0] in _ARTICLES and words[1] not in _FOLLOWERS:
        words.pop(0)
    return tuple(words)


class OptionSet:
    """The valid letters of a question and the texts behind them."""

    def __init__(self, options: Mapping[str, str], letters: Sequence[str] | None) -> None:
        """Raise ValueError unless there is at least one letter and every letter is one of A to Z, each once."""
        self.letters = tuple(letters) if letters else tuple(options)
        self._given = {letter.upper(): letter for letter in self.letters}
        if not self.letters or len(self._given) != len(self.letters):
            raise ValueError(f"letters must be given, each once: {self.letters!r}")
        if any(len(letter) != 1 or not "A" <= letter <= "Z" for letter in self._given):
            raise ValueError(f"letters must be single letters A to Z: {self.letters!r}")
        self._options = options

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {letter: text for letter, text in self._options.items() if letter in self.letters and text.strip()}

    @cached_property
    def _key_of(self) -> dict[str, tuple[str, ...]]:
        """Letter -> the words of its text."""
        return {letter: _key(text) for letter, text in self._texts.items()}

    @cached_property
    def _by_key(self) -> dict[tuple[str, ...], str | None]:
        """Words of a text -> its letter: the first of identical texts, None for texts alike only in their words."""
        found: dict[tuple[str, ...], str | None] = {}
        for letter in self.letters:
            key = self._key_of.get(letter, ())
            if not key or (len(key) == 1 and len(key[0]) == 1 and "a" <= key[0] <= "z"):
                continue
            first = found.get(key, letter)
            if first is not None and not _alike(self._texts[first], self._texts[letter]):
                first = None
            found[key] = first
            if (len(key) == 2 and key[1] in ("°", "s")) or (len(key) == 4 and key[1] == "-" and key[3] == "s"):
                found.setdefault(key[:-1], letter)
        return found

    @cached_property
    def _first(self) -> dict[str, list[tuple[str, ...]]]:
        """First word -> the texts that begin with it, the longest first."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for key in sorted(self._by_key, key=len, reverse=True):
            found.setdefault(key[0], []).append(key)
        return found

    @cached_property
    def _ends_another(self) -> frozenset[tuple[str, ...]]:
        """The texts that another text ends with: "cat" beside "black cat"."""
        return frozenset(
            key for key in self._by_key for other in self._by_key if key != other and other[-len(key) :] == key
        )

    @cached_property
    def _goes_on(self) -> frozenset[tuple[str, ...]]:
        """Texts that another text begins with, and the word by which that goes on: "cut", "the"."""
        keys = self._by_key
        return frozenset(other[: len(key) + 1] for key in keys for other in keys if other[: len(key)] == key != other)

    def within_another(self, letter: str) -> bool:
        """Whether another option's text holds all the words of this one's: "right" beside "curve right"."""
        own = set(self._key_of.get(letter, ()))
        return any(own <= set(key) for other, key in self._key_of.items() if other != letter)

    @cached_property
    def name_letters(self) -> bool:
        """Whether the options are known by letters alone: no texts, pictures, or texts like "point A"."""
        return not self._texts or any(_NAMES_LETTER.search(text) for text in self._texts.values())

    @cached_property
    def quotes_letters(self) -> bool:
        """Whether a text speaks of options by letter: "option B in the image"."""
        return any(_QUOTED_LETTER.search(text) for text in self._texts.values())

    def valid(self, letter: str) -> str | None:
        """The letter as given, whatever its case; None outside the valid ones."""
        return self._given.get(letter.upper())

    def alike(self, one: str, other: str) -> bool:
        """Whether two letters stand for the same text."""
        return one == other or self._key_of.get(one, one) == self._key_of.get(other, other)

    def is_run(self, word: str) -> bool:
        """Whether a word is a run of different valid letters, like ACD."""
        return word.isupper() and len(set(word)) == len(word) > 1 and all(self.valid(letter) for letter in word)

    def by_number(self, number: int) -> str | None:
        """The letter of the option at a place counted from 1; -1 is the last."""
        if number == -1:
            return self.letters[-1]
        return self.letters[number - 1] if 1 <= number <= len(self.letters) else None

    def exact(self, text: str) -> str | None:
        """The letter whose text this cleaned text is, articles, case and punctuation aside."""
        stripped = " ".join(text.split()).strip(" .\"'").casefold()
        same = [
            letter for letter, own in self._texts.items() if " ".join(own.split()).strip(" .\"'").casefold() == stripped
        ]
        if same and len(stripped) > 1:
            return same[0]
        words = [token.word for token in tokens(_without_article(text))]
        if len(words) == 1 and words[0] in _ONE and (words[0],) not in self._by_key:
            words = [_ONE[words[0]]]
        return self._by_key.get(tuple(words))

    def starts_with_own_text(self, letter: str, text: str) -> int:
        """How many characters of `text` the text of `letter` takes at its very start; 0 when it isn't there."""
        key = self._key_of.get(letter)
        if not key:
            return 0
        matched = done = 0
        for place, match in enumerate(TOKEN.finditer(text)):
            if matched == 0 and _WORD_CHARACTER.search(text, done, match.start()):
                return 0
            done = match.end()
            word = word_of(match[0])
            if word == key[matched]:
                matched += 1
                if matched == len(key):
                    return match.end()
            elif place or word not in _ARTICLES:
                return 0
        return 0

    def mentions(self, text: str) -> list[TextMention]:
        """Every place where an option's text stands in a cleaned text, the longest first, never one within another."""
        words = tokens(text)
        found: list[TextMention] = []
        at = 0
        while at < len(words):
            key = self._longest_at(words, at)
            letter = self._by_key[key] if key else None
            if key is None or letter is None:
                at += len(key) if key else 1
                continue
            stop = at + len(key)
            rival = self._overlapping(words, at + 1, stop)
            if rival:  # "not moving left": neither "not moving" nor "moving left"
                at = rival
                continue
            if self._free(text, words, at, key):
                start = words[at].start
                if at and words[at - 1].word in _ARTICLES and text[words[at - 1].end : start].isspace():
                    start = words[at - 1].start
                closed = len(key) > 1 or _closed(text, words, stop, _numeric(key))
                generic = _numeric(key) or (len(key) == 1 and key[0] in _GENERIC)
                found.append(TextMention(start, words[stop - 1].end, letter, closed, generic))
            at = stop
        return found

    def _free(self, text: str, words: list[Token], at: int, key: tuple[str, ...]) -> bool:
        """Whether an option text found at `at` stands for itself and is no part of something longer."""
        stop = at + len(key)
        start, end = words[at].start, words[stop - 1].end
        if _numeric(key) and _inside_number(text, start, end):
            return False
        if len(key) > 1 and _BREAK.search(text[start:end]) and not _BREAK.search(self._texts[self._by_key[key] or ""]):
            return False
        if key in self._ends_another and _modified(text, words, at):
            return False
        return stop == len(words) or (*key, words[stop].word) not in self._goes_on

    def _overlapping(self, words: list[Token], start: int, stop: int) -> int:
        """Where an option text ends that begins within words[start:stop] and goes on behind; 0 without one."""
        for at in range(start, stop):
            key = self._longest_at(words, at)
            if key and at + len(key) > stop:
                return at + len(key)
        return 0

    def _longest_at(self, words: list[Token], at: int) -> tuple[str, ...] | None:
        for key in self._first.get(words[at].word, ()):
            if len(key) <= len(words) - at and all(words[at + i].word == word for i, word in enumerate(key)):
                return key
        return None


def _without_article(text: str) -> str:
    article = _ARTICLE.match(text)
    following = article and TOKEN.match(text, article.end())
    if article is None or (following and word_of(following[0]) in _FOLLOWERS):
        return text
    return text[article.end() :]


def _modified(text: str, words: list[Token], at: int) -> bool:
    """Whether a noun at words[at] seems to have an adjective before it: "a white cat", "white cat"."""
    if (
        at == 0
        or words[at - 1].word in _FOLLOWERS | _ARTICLES
        or _STOP.search(text[words[at - 1].end : words[at].start])
    ):
        return False
    return (
        at == 1 or words[at - 2].word in _ARTICLES or bool(_STOP.search(text[words[at - 2].end : words[at - 1].start]))
    )


def _alike(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _numeric(key: tuple[str, ...]) -> bool:
    return not key[0][0].isalpha() and all(word in _UNITS or not word[0].isalpha() for word in key)


def _inside_number(text: str, start: int, end: int) -> bool:
    """Whether a number is part of a longer expression: -5, 5%, 5/6, x5."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    glued = (before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha())
    return (
        glued
        or before in "-/^×÷√_."
        or after in "%/^×÷°_"
        or bool(_OPERAND_ON.match(text, end) or _OPERAND_AFTER.search(text[max(0, start - 12) : start]))
        or bool(_RANGE_ON.match(text, end) or _COUNTED.search(text[max(0, start - 12) : start]))
    )


def _closed(text: str, words: list[Token], stop: int, numeric: bool) -> bool:
    if stop >= len(words):
        return True
    between = text[words[stop - 1].end : words[stop].start]
    return numeric or bool(_STOP.search(between)) or words[stop].word in _FOLLOWERS
