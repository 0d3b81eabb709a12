"""Phrases that keep an option open or give it to somebody else: "could be B", "if it were B", "one might say B", "B?".

`PARTIAL` stands right behind an option, the others right before it.
"""

from __future__ import annotations

from egocross_eval.reading.patterns import Pattern, any_of, words
from egocross_eval.reading.phrases.judging import BE, SKIP

_SAID = any_of(
    """
    think | say | argue | guess | assume | choose | pick | believe | expect | claim | be tempted | suggest | answer
    object | seem
    """
)
_OTHER_MIND = words(
    rf"""
    initially | at first | at a glance | at first glance | first thought | original(?:ly)? | previous(?:ly)? | earlier
    (?:some|people|one|you|many|(?<!\bi )(?<!\bwe )(?:might|may|could|would|can)) (?:\w{{1,10}} )?{_SAID} | tempting
    tempted | was going to | was about to | first (?:impression|instinct|guess) | used to
    would have (?:been|said|chosen|picked) | would've | had (?:said|chosen|picked|assumed) | i thought | mistaken(?:ly)?
    thought (?:it was|it's|that|the answer was|of) | confused with | a common | distractor | instead of
    according to the question | question \d+ | the question asks | asked whether | example | for instance | such as
    format | whether | template | like this | others say | user says | you said | suggested
    """
)
# A thought that is not the answer: "at first I took it for ...", "one might say ...".
ELSEWHERE = Pattern(
    rf"(?:{_OTHER_MIND}|e\.g\.|起初|一开始|最初|原本|本来|以为|例如|比如|有人),?"
    rf"(?:(?!\b(?:but|however|now|actually|yet)\b)[^.!?\n;,。]){{0,90}}\Z"
)
_IF_I_MUST = (
    r"(?!\s(?:i|we)\s(?:had|have|must|were|am|really|absolutely|need)"
    r"|\s(?:forced|pressed|pushed|anything|so|not|we|you)\b)"
)
CONDITION = Pattern(
    rf"(?:(?:\A|[.!?\n;。,]\s{{0,3}}|\band\s|\bbut\s|\bor\s)(?:if|unless|suppose|supposing|assuming|whether|were|had|provided|"
    rf"in\scase|when\sasked|should)\b{_IF_I_MUST}|如果|假如|若)(?:(?!,\s(?:but|so|yet|therefore|however)\b)[^.!?\n;。]){{0,120}}\Z"
)
# "Although A looks tempting, ...": what follows is the text's own view.
CONCEDED = Pattern(
    r"(?:\A|[.!?\n;]\s{0,3})(?:although|though|while|even\sthough|even\sif|despite)\b[^.!?\n;,]{1,120},\s"
    r"(?:the\s|i\s\w+\s|it(?:'s|\sis)\s|option\s|choice\s){0,3}[\"'(\[]?\Z"
)
QUESTION = Pattern(
    r"(?:\A|[.!?\n;。,:]\s{0,3})(?:so\s|but\s|and\s|or\s|hmm,?\s|wait,?\s)?"
    + words(
        """
        is | are | was | could | would | should | can | does | do | did | what | which | why | how | who | might | will
        isn't | maybe | perhaps | or
        """
    )
    + r"[^.!?\n;。]{0,120}\Z"
)
MAYBE = Pattern(
    words(
        """
        could | might | may | maybe | perhaps | possibly | potentially | conceivably | can be | also be | seemed
        looked like
        """
    )
    + r"[^.,!?\n;]{0,24}\Z|可能(?:是|为)?\s?\Z|也许是?\s?\Z"
)
# "... fits, but let me check": not decided yet.
UNCHECKED = Pattern(
    rf"{SKIP}(?:\w+\s){{0,3}}?\w*[,;]?\s?but\s(?:let\s(?:me|us)|let's|first|wait|i\s(?:should|need|must))\b"
)
# "... could also be right": no more than possible.
PARTIAL = Pattern(
    rf"{SKIP}(?:(?:could|might|may|can)(?:\salso|\swell|\spossibly)?\s(?:be|fit|match|work)\b"
    r"|is\salso\s(?:likely|plausible)\b|is\s(?:also\s|a\s)?(?:possible|partially|partly|close|a\spossible|a\splausible|another)\b"
    rf"|{BE}\s(?:also\s)?(?:a\s)?(?:possible|plausible|valid|reasonable|good|likely)\s(?:answer|option|choice|candidate)"
    r"|(?:seems|looks|appears|seemed|looked|appeared)\s(?:\w{3,12}\s)?(?:plausible|possible|right|correct|tempting|close|"
    r"attractive)?[^.\n;]{0,30}\b(?:but|however|though|until)\b|is\stempting"
    r"|(?:seems|looks|appears|is|was)\s(?:\w{3,12}\s)?(?:at\sfirst|initially)|(?:is|seems)\s(?:also\s)?plausible\b)"
)
