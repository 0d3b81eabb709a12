"""Where the phrase around an option begins and ends, and whether a sentence is about the option or only tells of it.

`SENTENCE` and `ALONE_BEHIND` stand right before an option, the others right behind it.
"""

from __future__ import annotations

from egocross_eval.reading.patterns import Pattern, any_of, words
from egocross_eval.reading.phrases.choosing import FILL

SENTENCE = Pattern(r"(?:\A|[.!?\n。]\s{0,3})\Z", 0)
# Right before a sentence of its own, or behind an opening phrase: "On balance, ...".
ALONE_BEHIND = Pattern(
    r"(?:(?:(?:[a-z\u3400-\u9fff]{2}|\b[Nn]ot [A-Z])[\"')]?[.!?…。)]{1,2}[\"']?|[a-z]{2}(?:;|\s[-–—]))[ \t]{1,3}"
    r"|(?:\b[Bb]ut (?:probably|likely|most likely|possibly|maybe|perhaps|I think|I'd say|I guess)"
    r"|\b(?:sure|certain|tell|say|guess), but) "
    r"|(?:\A|[.!?\n]\s{0,3})(?!(?:First|Second|Third|Next|Then|Now)\b)[A-Z][a-z][^.!?\n,:]{2,90}[,:]\s)" + FILL + r"\Z",
    0,
)

# "...: shows a car": the option is told about, not chosen.
TOLD = Pattern(
    r"\s"
    + words(
        """
        shows | depicts | contains | describes | represents | refers | says | states | mentions | talks | suggests
        involves | implies | indicates | illustrates | features | displays | consists | includes | has | had | starts
        begins | moves | appears in | lies
        """
    )
)
STOP = Pattern(r"[\s\"')\]]{0,3}(?:[.!](?=\s|\Z)|\Z)")
ALONE = Pattern(r"[\s\"')\]]{0,3}[.!]?\s*\Z")
_GO_ON = any_of(
    """
    because | since | as | given | without | due | based | for | with | which | where | that | instead | here | and
    but | so | in | now | by | please | if | again | then | to | on | from | at | rather | over | not | after | when
    while | than | maybe | probably | perhaps | possibly | definitely | certainly | obviously | clearly | surely | i'd
    i | however | although | though | whereas | considering | seeing | hence | therefore | too
    """
)
_SURE = r"(?:(?:very|quite|fairly|high|low|medium)\s)?(?:confiden\w{2,4}|certain(?:ty)?|prob\w{0,9}|conf|sure)\b"
_SHARE = r"(?:\d{1,3}(?:\.\d+)?\s?%|[01]?\.\d+)"
# "b (confidence: 0.9)", "b, 95%", "b with 80% confidence"
CONFIDENCE = Pattern(rf"[\s,;:()\[=–-]{{1,4}}(?:with\s|at\s|i'm\s|about\s|a\s)?(?:{_SURE}|{_SHARE})")
SURE = Pattern(rf"[\s,;:(\[=–-]{{1,4}}(?:{_SURE}[^\w\n]{{0,4}}{_SHARE}|{_SHARE}(?:\s{_SURE})?)[\s.)\]]*\Z")

# The option ends its phrase: a stop, a bracket, a conjunction, another script.
ENDS = Pattern(
    rf"[\s\"')\]>]{{0,4}}(?:\Z|[.!。;,;、:?\n(|/…—–-]|{_GO_ON}\b"
    r"|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0400-\u06ff\u0900-\u0dff\u0e00-\u0e7f]|[\U0001f300-\U0001faff☺✨])"
)
