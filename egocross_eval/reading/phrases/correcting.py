"""Phrases that take back or weaken an answer already given: "no wait, B", "actually not B", "B. That is wrong.".

`CORRECTION`, `ALTERNATIVE`, `REVISION` and `ON_REFLECTION` stand right before an option, `TAKEN_BACK` right behind it.
"""

from __future__ import annotations

from egocross_eval.reading.patterns import Pattern, words
from egocross_eval.reading.phrases.choosing import FILL

_REVISION = words(
    r"""
    wait | nope | actually | correction | corrected | scratch that | strike that | i mean(?:t)? | or rather | sorry
    oops | on second thoughts? | make (?:that|it) | hold on | hmm+ | my mistake | my bad | i misspoke | edit | apologies
    better | never mind | nevermind | sondern | sino | bensì | let me (?:correct|fix|revise|change)[^.\n]{0,40}
    revised?(?: answer)?(?: to)? | updated?(?: answer)?(?: to)? | chang(?:e|ed|ing)\b[^.\n]{0,40}?\bto
    switch(?:ed|ing)?\b[^.\n]{0,40}?\bto | upon (?:reflection|closer|further|re)[\w-]*[^.\n,]{0,30}
    after (?:re-?\w+|closer|further|another|a second)[^.\n,]{0,40} | looking (?:again|closer|more closely) | instead
    re-?(?:checking|thinking|considering|examining|watching|reading)[^.\n,]{0,30}
    not (?:\w{1,12} ){0,3}?[\"'(]?[A-Za-z][\"')]?(?: as [^.,;\n]{2,40}| like [^.,;\n]{2,40})?,? but(?: rather| instead)?
    """
)
_REVISION_FILL = words(
    """
    no | wait | actually | so | but | that's wrong | that is wrong | i was wrong | it | that | this | it's | is
    it must be | it should be | should be | must be | the | correct | right | final | answer | i'll go with | i go with
    i choose | i pick | i'd say | go with | let's go with | my | would be | now | i think | i believe | option | choice
    letter
    """
)
# "No, wait: ...", "actually it is ...", "I change my answer to ..."
CORRECTION = Pattern(
    rf"(?:{_REVISION}|\bno(?=\s?[,.;:!—–-])|(?:不对|不,|等等|等一下|错了|再看)[^。;\n]{{0,20}}?(?:是|选|为)|不对|不,|更正|修正|改为|改选|应该是|纠正)"
    rf"(?:[\s,.;:!—–…-]|{_REVISION_FILL})*[\s\"'(\[:*]{{0,3}}\Z"
)
# "..., or maybe ..."
ALTERNATIVE = Pattern(
    rf"(?:\A|[.!?,;…]\s{{0,3}})(?:or|alternatively|but)\s?,?\s?"
    rf"{words('maybe | perhaps | possibly | it could (?:also )?be | could be | even | it might be')}{FILL}\Z"
)

# "Actually, not ...": what is denied here was said before.
REVISION = Pattern(r"\b(?:wait|actually|no,|hmm|oops|sorry|scratch|on second thought)\b[^?\n]{0,40}\Z")
# "Hmm, on reflection I ...": what follows declines.
ON_REFLECTION = Pattern(r"\b(?:actually|wait|on second thought|hmm|on reflection)\W{1,4}(?:no\W+)?(?:i\s)?\Z")

_DASH = r"[,.;…—–-]"
_BACK = words(
    """
    i was wrong | i take (?:that|it) back | scratch that | strike that | that isn't right | that can't be right
    not really | not quite | isn't right | isn't correct | i made a mistake | i made an error | disregard | ignore that
    never mind | nevermind
    """
)
# "... Wait, that is wrong."
TAKEN_BACK = Pattern(
    rf"[^.!?\n]{{0,60}}?(?:{_DASH}\s{{0,3}}|\bbut\s|\bhowever\s)(?:wait|no\b,?|hmm|but|however|actually|sorry|oops|hold\son|scratch|though)?"
    r"[\s,.!—–-]{0,4}(?:but\s|no,?\s|actually,?\s|wait,?\s){0,3}"
    r"(?:(?:that|this|it)(?:'s|\sis|\swas|\sisn't|\scan't|\scannot|\swould\sbe)(?:\s\w{2,12}){0,2}\s"
    rf"(?:wrong|incorrect|not\sright|not\scorrect|right|a\smistake|mistaken|false|(?:impossible|not\s(?:it|true|possible))\b(?!\sto\b))|{_BACK})"
)
