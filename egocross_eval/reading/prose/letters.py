"""Find letters that may stand for an option, and tell a letter from an article, a name or a unit."""

from __future__ import annotations

from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern, any_of, words
from egocross_eval.reading.prose.mentions import Mention

_MAX_LETTERS = 2000
_LETTER = Pattern(
    r"(?<![A-Za-z0-9_])[A-Za-z](?![A-Za-z0-9_])"
    r"|(?:(?<=[Oo]ption)|(?<=OPTION)|(?<=[Cc]hoice)|(?<=[Oo]ption_)|(?<=[Aa]nswer))[A-Z](?![A-Za-z0-9_])",
    0,
)
_OPEN = Pattern(r"[(\[<\"']\s{0,2}\Z", 0)
_CLOSE = Pattern(r"\s{0,2}[)\]>\"']", 0)
_PAIRS = {"(": ")", "[": "]", "<": ">", '"': '"', "'": "'"}
# "Option B": the noun belongs to the mention.
_NOUNS = any_of(
    "options? | choices? | letters? | alternatives? | captions? | sentences? | opci[oó]n | opção | optie | opzione"
)
_NOUN = Pattern(rf"(?:\b{_NOUNS}(?:\s{{1,3}}#?|[-_])?|选项\s?)\Z")
_CHINESE_AFTER = Pattern(r"\s?(?:选项|项|答案|是正确|正确|为正确)", 0)
_NAMES = words(
    """
    vitamins? | hepatitis | type | plan | grade | class | team | influenza | schedule | generation | gen | mr | mrs | dr
    drs | st | group | blood type | protein | factor | malignant | appendix | exhibit | interleukin | immunoglobulin
    staphylococcus
    """
)
# Before a letter that belongs to a name, a unit or a formula and never stands for an option.
_NAME_BEFORE = Pattern(rf"(?:{_NAMES}\.?\s|°\s?|\w-|\w&|\w'|[#@\\^_$]|\b[A-Z]\.\s?(?=[A-Z]\.)|\b[A-Z]\.)\Z")
_OPERAND_BEFORE = Pattern(r"(?:[\d)}]|[a-z0-9_]{2})\s?[+×÷]\s?\Z", 0)
_NAME_AFTER = Pattern(
    r"'[A-Za-z]|[-–][A-Za-z0-9]|[+#^_°\\]|\.[A-Za-z]\b|&\w|\(\d|\s?=\s?[-\d({]|\s?∪|\s?∩|/[A-Z][A-Z]"
    r"|\s(?:major|minor|flat|sharp)\b",
    0,
)
# What may stand glued to a bracketed letter: "choose(B)"; f(B) is a formula.
_CALLERS = Pattern(
    any_of(
        """
        option | choice | answer | ans | choose | select | pick | submit | final | image | picture | point | letter
        figure | response | [^\\x00-\\x7f]
        """
    )
    + r"\Z"
)
# Words that cannot follow the article "a": a capital A before one of them is a letter.
_AFTER_LETTER = Pattern(
    r"\s{1,3}"
    + any_of(
        r"""
        is | was | are | were | because | since | as | and | or | nor | but | not | if | then | so | than | which | in
        on | at | to | of | for | from | with | by | over | has | have | had | does | do | did | doesn't | isn't | can
        can't | cannot | could | couldn't | will | would | wouldn't | should | might | may | must | seems? | appears?
        looks? | fits? | best | matches | match | describes? | shows? | makes? | wins? | it | the | this | that | there
        i | my | we | he | she | they | you | based | given | both | explanation | reason | reasoning | due | following
        yes | no | maybe | probably | perhaps | rather | instead | represents? | depicts? | remains? | stands? | gets?
        also | only | clearly | definitely | most likely | here | final | answer | please | hope | let
        [A-Z](?![a-z'-]) | \W
        """
    )
    + r"\b"
)
_SMALL_GOES_ON = Pattern(r" (?:because|since|as it|but|rather|is the (?:correct|right|best|answer))\b", 0)
_LINE_START = Pattern(r"(?:\A|\n)[\s\-+•]{0,8}[(\[\"'<]?\Z", 0)
_LABEL_AFTER = Pattern(r"\s?[)\]>\"']?\s?(?:[.):,、\]]|-{1,2}|–|—)(?=\s|\Z|[A-Z\u3400-\u9fff<\"$-])|\s?[)\]>]", 0)
_WORD_AFTER = Pattern(r"\s[^\W\d_]", 0)
_PRONOUN_ENDS = Pattern(r"\s{0,2}(?:\Z|[.,:)\n])", 0)
_BECAUSE = Pattern(r"\bb/c\b")


def find_letters(text: str, options: OptionSet) -> list[Mention]:
    """Every letter that stands alone; of very many, the first ones and the last."""
    spots = [match.start() for match in _LETTER.finditer(text)]
    if len(spots) > _MAX_LETTERS:
        spots = spots[: _MAX_LETTERS // 8] + spots[-_MAX_LETTERS * 7 // 8 :]
    found = (_letter(text, at, options) for at in spots)
    return [mention for mention in found if mention is not None]


def _letter(text: str, at: int, options: OptionSet) -> Mention | None:
    letter = text[at]
    before = text[max(0, at - 24) : at]
    after = text[at + 1 : at + 30]
    opened, closed = _OPEN.search(before), _CLOSE.match(after)
    if letter.islower() and _is_word(text, at, after, bool(closed)):
        return None
    bracketed = opened is not None and closed is not None and _PAIRS[opened[0][0]] == closed[0][-1]
    start, end = at, at + 1
    if bracketed and opened is not None and closed is not None:
        start, end = at - len(opened[0]), end + len(closed[0])
        glued = opened[0][0] == "(" and text[start - 1 : start].isalnum()
        if glued and not _CALLERS.search(text[max(0, start - 12) : start]):
            return None
    elif (
        _NAME_AFTER.match(after)
        or _OPERAND_BEFORE.search(before)
        or (_NAME_BEFORE.search(before) and not _NOUN.search(before))
    ):
        return None
    valid = options.valid(letter)
    if bracketed and letter in "xX" and valid is None:  # a ticked box
        return None
    noun = _NOUN.search(text[max(0, start - 16) : start])
    if noun and letter == "a" and not bracketed and after[:1].isspace():
        noun = None
    if noun:
        start -= len(noun[0].lstrip())
    kind = "marked" if noun or bracketed else _kind(letter, before, after)
    return Mention(start, end, (at, at + 1), valid or letter.upper(), kind, valid is not None)


def _is_word(text: str, at: int, after: str, closed: bool) -> bool:
    """Whether a small letter is a word of the sentence, or part of "b/c"."""
    if text[at] in "bc" and _BECAUSE.search(text, max(0, at - 2), at + 3):
        return True
    return not closed and after[:1] == " " and after[1:2].isalpha() and not _SMALL_GOES_ON.match(after)


def _kind(letter: str, before: str, after: str) -> str:
    if _LINE_START.search(before) and _LABEL_AFTER.match(after):
        return "marked"
    if letter.islower():
        return "lower"
    if _CHINESE_AFTER.match(after):
        return "marked"
    if letter == "I" and not _PRONOUN_ENDS.match(after):
        return "article"
    if letter == "A" and _WORD_AFTER.match(after) and not _AFTER_LETTER.match(after):
        return "article"
    return "bare"
