"""Find letters that may stand for an option, and tell a letter from an article, a name or a unit."""

from __future__ import annotations

from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern, any_of, words
from egocross_eval.reading.phrases import phrase_ends
from egocross_eval.reading.prose.mentions import Mention

_MAX_LETTERS = 2000
# Latin, Greek and Cyrillic letters; an option's letter may stand glued to those of other scripts.
_IN_WORD = "[A-Za-z0-9_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u052f\u1e00-\u1eff]"
_LETTER = Pattern(
    rf"(?<!{_IN_WORD})[A-Za-z](?!{_IN_WORD})"
    rf"|(?:(?<=[Oo]ption)|(?<=OPTION)|(?<=[Cc]hoice)|(?<=[Oo]ption_)|(?<=[Aa]nswer))[A-Z](?!{_IN_WORD})",
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
# "B. F. Skinner"
_INITIALS = Pattern(r"\.\s?(?:[A-Z]\.\s?){1,2}[A-Z][a-z]", 0)
_INITIAL_BEFORE = Pattern(r"\b[A-Z]\.\s?\Z", 0)
_SURNAME = Pattern(r"\.\s?[A-Z][a-z]", 0)
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
# What a text may have named by letters of its own: "point B" in a picture is no option, unless the options name it so.
_THING_BEFORE = Pattern(
    words(
        """
        points? | figures? | fig\\.? | circles? | regions? | areas? | box(?:es)? | lines? | curves? | segments?
        angles? | triangles? | persons? | players? | cameras? | frames? | steps? | positions? | locations? | markers?
        arrows? | vertex | nodes? | sections? | panels? | scenes? | clips? | teams? | classes | phases? | rooms?
        buildings? | streets? | tracks? | routes? | paths? | tools? | instruments? | buttons? | components? | chips?
        shapes? | patterns? | graphs? | diagrams? | labels? | labell?ed | cups? | balls? | wires? | lanes? | containers?
        bottles? | solutions? | samples? | plates? | tables? | zones? | spots? | objects? | images? | pictures?
        photos?
        """
    )
    + r"[ \t]\Z"
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
        also | only | clearly | oder | und | ist | sowie | weil | da | ou | et | est | parce | car | y | o | es | está
        porque | e | é | è | perché | of | en | omdat | eller | och | är | fordi | или | и | это | потому | lub | i
        jest | atau | veya | nebo | definitely | most likely | here | final | answer | please | hope | let
        [A-Z](?![a-z'-]) | \W
        """
    )
    + r"\b"
)
_SMALL_GOES_ON = Pattern(r" (?:because|since|as it|but|rather|is the (?:correct|right|best|answer))\b", 0)
_LINE_START = Pattern(r"(?:\A|\n)[\s\-+•]{0,8}[(\[\"'<]?\Z", 0)
_LABEL_AFTER = Pattern(r"\s?[)\]>\"']?\s?(?:[.):,、\]]|-{1,2}|–|—)(?=\s|\Z|[A-Z\u3400-\u9fff<\"$-])|\s?[)\]>]", 0)
_WORD_AFTER = Pattern(r"\s[^\W\d_]", 0)
# "E poi ...", "O correto ...", "Y la ..." at the start of a sentence.
_FOREIGN_WORD = Pattern(r"\s[a-zà-ÿ]{1,20}(?<!s)(?![A-Za-zà-ÿ])", 0)
_STARTS = Pattern(r"(?:\A|[.!?\n]\s{0,3})\Z", 0)
_PRONOUN_ENDS = Pattern(r"\s{0,2}(?:\Z|[.,:)\n])", 0)
_QUANTITY = Pattern(r"\d\s?\Z", 0)
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
        or _INITIALS.match(after)
        or (_INITIAL_BEFORE.search(before) and _SURNAME.match(after))
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
    named = not bracketed and not options.name_letters and _THING_BEFORE.search(before)
    kind = "marked" if noun or bracketed else "named" if named else _kind(letter, before, after)
    return Mention(start, end, (at, at + 1), valid or letter.upper(), kind, valid is not None)


def _is_word(text: str, at: int, after: str, closed: bool) -> bool:
    """Whether a small letter is a word of the sentence, a unit ("12.5 s"), or part of "b/c"."""
    if _QUANTITY.search(text, max(0, at - 12), at):
        return True
    if text[at] in "bc" and _BECAUSE.search(text, max(0, at - 2), at + 3):
        return True
    if phrase_ends.CONFIDENCE.match(after) and (text[at] != "a" or phrase_ends.SURE.match(after)):
        return False
    goes_on = after[1:2].isalpha() or (text[at] == "a" and after[1:2] in ('"', "'", "("))
    return not closed and after[:1] == " " and goes_on and not _SMALL_GOES_ON.match(after)


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
    if letter in "EOY" and _FOREIGN_WORD.match(after) and not _AFTER_LETTER.match(after) and _STARTS.search(before):
        return "article"
    return "bare"
