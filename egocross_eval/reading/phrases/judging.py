"""Phrases that judge the option before them right: "B is the correct answer", "B fits best", "B: yes".

Every pattern here is matched at the start of the stretch behind the option.
"""

from __future__ import annotations

from egocross_eval.reading.patterns import Pattern, any_of

_PRONOUN = any_of(
    """
    which | it | this | that | therefore | however | then | option | choice | alone | on the other hand | in contrast
    too
    """
)
_VERB = any_of(
    "is | was | are | cannot | can't | does | doesn't | isn't | could | couldn't | would | wouldn't | seems | appears"
)
SKIP = (
    r"[ \t\"')\]>]{0,4}(?:\([^()\n]{0,90}\)\s?)?"
    rf"(?:,(?=\s{_VERB}\b)|,?[ \t]{_PRONOUN},?)?"
    r"[ \t]{0,2}"
)
BE = any_of(
    """
    is | was | are | were | seems? | appears? | looks? | sounds? | would be | must be | can be | could be | may be
    feels? | might be | should be | will be | has been | have been | had been | gets? | being | be | 's | remains?
    to be | ist | est | es | é | è | jest | está | är | er | is de
    """
)
ADVERB = any_of(
    """
    also | clearly | definitely | obviously | probably | likely | simply | just | both | all | therefore | thus
    completely | totally | too | equally | most likely | very | immediately | quickly | easily | to be | be | plainly
    actually | certainly | out | highly | safely | evidently | somewhat | partly | partially | technically | factually
    indeed | in fact | so | the only one that is | logically | hence | surely | undoubtedly | visually | the | my | our
    still | now
    """
)
_GOOD = any_of(
    r"""
    correct | true
    right(?! (?:angle|triangle|hand|side|arm|leg|foot|turn|lane|half|edge|corner|part|of|front|now|next|there|before))
    accurate | best | better | most [\w-]{2,20} | more [\w-]{2,20} | closest | closer | nearer | strongest | clearest
    likely | plausible | consistent | supported | only | safest | ideal | perfect | preferred | preferable | superior
    valid | suitable | appropriate | logical | optimal | single | final | favou?red | real | proper | winning | intended
    expected | sole | reasonable | fitting | good | richtig | correcte? | correcta | correta | corretta | juist
    верн\w{1,3} | правильн\w{1,3} | poprawna
    """
)
_NOT_A = "(?<!a )(?<!a possible )(?<!a plausible )(?<!a valid )(?<!a good )(?<!a reasonable )"
_ANSWER = "(?:answer|option|choice|pick|selection|response|final answer|guess|bet|one)"
# "... is the correct answer"
CHOSEN = Pattern(
    rf"{SKIP}(?:{BE}\s(?:{ADVERB}\s|the\s|my\s|our\s|your\s|a\s|{_GOOD}\s(?:and\s|possible\s)?){{0,6}}{_NOT_A}{_ANSWER}\b"
    r"(?!\s(?:that|which|to)\s(?:is|are|was|be)?\s?(?:wrong|incorrect|not|exclude))"
    r"|it\sis\b|for\ssure\b|final\sanswer\b|all\sthe\sway\b|wins\b|it\sshall\sbe\b|(?:then|is\sit)(?=\s?[.!]?\s*\Z))"
    r"|\s?[,–—-]?\s?(?:that(?:'s|\sis)\s)?(?:my|the)\s(?:final\s)?answer\b|\s{0,4}(?:<-|←)|\sgets\smy\svote\b"
)
_CHINESE_GOOD = "(?:正确|对的|符合|合适|合理|准确|恰当|接近|正解|最符合|最接近|最合适|最合理)"
_FITS = any_of(
    """
    fits | matches | describes | answers | captures | explains | aligns | corresponds | follows | reflects | represents
    satisfies | agrees | completes | meets | survives
    """
)
# "... is correct", "... fits best", "...: yes"
JUDGED = Pattern(
    rf"{SKIP}(?:{BE}\s(?:{ADVERB}\s|the\s|a\s|an\s|much\s|far\s|by\sfar\sthe\s|overall\s){{0,4}}{_GOOD}\b(?!\sof)"
    rf"|{_FITS}\b"
    r"(?!\s(?:only|part|neither|none|less|poorly))"
    r"|best\s(?:\w{2,14}s?)\b|correctly\s\w|is\s(?:all\sthat\sis\s)?left(?=[.!]?\s*\Z)|makes\s(?:the\smost\s|more\s|perfect\s|the\sbest\s)?sense"
    r"|(?:most|more)\s(?:closely|accurately|likely|clearly)|stands\sout|remains\b|is\swhat|shows\s(?:exactly|precisely)"
    r"|(?:correct|right|richtig)\b(?=\W|\Z)|[✓✔✅☑👍]"
    rf"|(?:です|だ(?=[。.])|입니다)|(?:选项|项|答案)?\s?(?:的说法|的描述|的)?(?:才)?(?:是|为)?(?:最|完全)?{_CHINESE_GOOD})"
    r"|\s?[:=(|–—-]{1,2}\s?\(?(?:(?:correct|right|true|yes|y|best)\b|[✓✔✅☑√]|正确|对\b)"
    r"|\s?[(:|-]{0,2}\s?[✓✔✅☑√]"
)
YES = Pattern(
    r"[\s\"')\]]{0,3}\?\s{0,3}(?:(?:yes|yep|yeah|correct|right|exactly|indeed|bingo|sure|i\s(?:believe|think)\sso|it\sis)\b|[✓✅]|是的|对)"
)
WHY = Pattern(r"\s(?:because|since|as\s(?:it|the|there))\b")
