"""Phrases that stand right behind an option and tell what the text holds of it.

Every pattern here is matched at the start of the stretch behind the option.
"""

from __future__ import annotations

from egocross_eval.reading.patterns import Pattern, any_of, words

_SKIP = (
    r"[ \t\"')\]>]{0,4}(?:\([^()\n]{0,90}\)\s?)?"
    r"(?:,?\s(?:which|it|this|that|therefore|however|then|option|choice|alone|on\sthe\sother\shand|in\scontrast|too),?)?"
    r"[ \t]{0,2}"
)
_BE = any_of(
    """
    is | was | are | were | seems? | appears? | looks? | sounds? | would be | must be | can be | could be | may be
    feels?
    might be | should be | will be | has been | have been | had been | gets? | being | be | 's | remains? | to be
    ist | est | es | é | è | jest
    """
)
_ADVERB = any_of(
    """
    also | clearly | definitely | obviously | probably | likely | simply | just | both | all | therefore | thus
    completely | totally | too | equally | most likely | very | immediately | quickly | easily | to be | be
    plainly
    actually | certainly | out | highly | safely | evidently | somewhat | partly | partially | technically
    factually
    indeed | in fact | so | the only one that is | logically | hence | surely | undoubtedly | visually | the
    my | our
    still | now
    """
)
_BAD = any_of(
    r"""
    wrong | incorrect | inaccurate | false | untrue | ruled out | eliminated | excluded | rejected | discarded
    dismissed | unlikely | impossible | invalid | irrelevant | contradicted | contradictory | inconsistent
    unsupported
    implausible | mistaken | off | out | a distractor | distractors? | unrelated | inappropriate | misleading
    less (?:likely|plausible|accurate|suitable|appropriate|relevant) | unreasonable | infeasible | crossed out
    too \w{1,14} | nowhere | absent | never | no good | bad | nonsense | a trap | traps? | improbable | a mistake
    an error | unnecessary | no\b(?! doubt)
    falsch | fausse | incorrecta | incorreta | errada | sbagliata | onjuist | неверн\w{1,3} | неправильн\w{1,3}
    """
)
_NOT_BAD = (
    rf"(?!\s{any_of('only | wrong | incorrect | bad | excluded | eliminated | ruled out | impossible | unlikely')})"
)
_FAILS = any_of(
    """
    isn't | aren't | wasn't | weren't | doesn't | don't | didn't | can't | cannot | can not | couldn't | could not
    won't | wouldn't | would not | does not | do not | did not | has not | hasn't | will not | should not
    shouldn't
    fails? | contradicts? | conflicts? | lacks? | has no | have no | had no | makes no | never | ignores?
    gets? (?:ruled|eliminated) | goes against | falls? short
    """
)
_CROSS = "[❌✗✘×✖👎]"
# A gap within one Chinese clause, ending before it turns to other options.
_CHINESE_GAP = r"(?:(?!因|其他|其余|另|而|由于|别的|所以|故)[^。,;\nA-Z]){0,30}?"
_CHINESE_BAD = "(?:错误|不正确|不对|有误|不符|排除|不成立|不合|不可能|不是|不选|错)"

DENIED = Pattern(
    rf"{_SKIP}(?:(?:{_ADVERB}\s){{0,2}}{_FAILS}\b{_NOT_BAD}"
    rf"|{_BE}\s(?:{_ADVERB}\s){{0,3}}(?:not\b{_NOT_BAD}|n't\b|{_BAD})"
    rf"|では(?:ありません|ない)|じゃない|(?:가|는|이|은)?\s?(?:아니|아닙)"
    rf"|(?:{_BAD}(?<!off)(?<!out)(?<!bad))(?=\W|\Z)|{_CROSS}|{_CHINESE_GAP}{_CHINESE_BAD})"
    rf"|\s?[:=(|–—-]{{1,2}}\s?\(?(?:not\b(?!\s(?:only|[A-Z]\b))|(?:wrong|incorrect|false|no|n|eliminated|ruled\sout|unlikely|"
    rf"impossible|doesn't|isn't)\b|{_CROSS}|{_CHINESE_BAD})"
    rf"|\s?[(:|-]{{0,2}}\s?{_CROSS}"
)

# "... is not visible": said of a thing, not of an answer.
ABSENT = Pattern(
    rf"{_SKIP}(?:(?:is|are|was|were|do|does|did)(?:n't|\snot)|can(?:not|'t|\snot)\sbe|never)\s(?:\w{{2,12}}\s)?"
    r"(?:visible|seen|shown|present|observed|in\s|used|detected|appear|found|featured|displayed|there)"
)
_NOUN = any_of(
    """
    answers? | options? | choices? | one | match | description | solution | response | pick | selection | candidate
    fit | statement | explanation | caption | sentence | representation | alternative | guess | bet
    """
)
_GOOD = any_of(
    r"""
    correct | right | true | accurate | best | better | most [\w-]{2,20} | more [\w-]{2,20} | closest | closer
    nearer
    strongest | clearest | likely | plausible | consistent | supported | only | safest | ideal | perfect | preferred
    preferable | superior | valid | suitable | appropriate | logical | optimal | single | final | favou?red | real
    proper | winning | intended | expected | sole | reasonable | fitting | good
    richtig | correcte? | correcta | correta | corretta | juist | верн\w{1,3} | правильн\w{1,3} | poprawna
    """
)
_NOT_A = "(?<!a )(?<!a possible )(?<!a plausible )(?<!a valid )(?<!a good )(?<!a reasonable )"
_ANSWER = "(?:answer|option|choice|pick|selection|response|final answer|guess|bet|one)"
# "... is the correct answer"
CHOSEN = Pattern(
    rf"{_SKIP}(?:{_BE}\s(?:{_ADVERB}\s|the\s|my\s|our\s|your\s|a\s|{_GOOD}\s(?:and\s|possible\s)?){{0,6}}{_NOT_A}{_ANSWER}\b"
    r"(?!\s(?:that|which|to)\s(?:is|are|was|be)?\s?(?:wrong|incorrect|not|exclude))"
    r"|it\sis\b|for\ssure\b|final\sanswer\b|all\sthe\sway\b|wins\b|it\sshall\sbe\b|(?:then|is\sit)(?=\s?[.!]?\s*\Z))"
    r"|\s?[,–—-]?\s?(?:that(?:'s|\sis)\s)?(?:my|the)\s(?:final\s)?answer\b|\s{0,4}(?:<-|←)|\sgets\smy\svote\b"
)
_CHINESE_GOOD = "(?:正确|对的|符合|合适|合理|准确|恰当|接近|正解|最符合|最接近|最合适|最合理)"
_FITS = any_of(
    """
    fits | matches | describes | answers | captures | explains | aligns | corresponds | follows | reflects
    represents | satisfies | agrees | completes | meets | survives
    """
)
# "... is correct", "... fits best", "...: yes"
JUDGED = Pattern(
    rf"{_SKIP}(?:{_BE}\s(?:{_ADVERB}\s|the\s|a\s|an\s|much\s|far\s|by\sfar\sthe\s|overall\s){{0,4}}{_GOOD}\b(?!\sof)"
    rf"|{_FITS}\b"
    r"(?!\s(?:only|part|neither|none|less|poorly))"
    r"|best\s(?:\w{2,14}s?)\b|correctly\s\w|is\s(?:all\sthat\sis\s)?left(?=[.!]?\s*\Z)|makes\s(?:the\smost\s|more\s|perfect\s|the\sbest\s)?sense"
    r"|(?:most|more)\s(?:closely|accurately|likely|clearly)|stands\sout|remains\b|is\swhat|shows\s(?:exactly|precisely)"
    r"|(?:correct|right|richtig)\b(?=\W|\Z)|[✓✔✅☑👍]"
    rf"|(?:です|だ(?=[。.])|입니다)|(?:选项|项|答案)?\s?(?:的说法|的描述|的)?(?:才)?(?:是|为)?(?:最|完全)?{_CHINESE_GOOD})"
    r"|\s?[:=(|–—-]{1,2}\s?\(?(?:(?:correct|right|true|yes|y|best)\b|[✓✔✅☑√]|正确|对\b)"
    r"|\s?[(:|-]{0,2}\s?[✓✔✅☑√]"
)
# "... could also be right": no more than possible.
PARTIAL = Pattern(
    rf"{_SKIP}(?:(?:could|might|may|can)(?:\salso|\swell|\spossibly)?\s(?:be|fit|match|work)\b"
    r"|is\salso\s(?:likely|plausible)\b|is\s(?:also\s|a\s)?(?:possible|partially|partly|close|a\spossible|a\splausible|another)\b"
    rf"|{_BE}\s(?:also\s)?(?:a\s)?(?:possible|plausible|valid|reasonable|good|likely)\s(?:answer|option|choice|candidate)"
    r"|(?:seems|looks|appears|seemed|looked|appeared)\s(?:\w{3,12}\s)?(?:plausible|possible|right|correct|tempting|close|"
    r"attractive)?[^.\n;]{0,30}\b(?:but|however|though|until)\b|is\stempting)"
)
# "...: shows a car": the option is told about, not chosen.
TOLD = Pattern(
    r"\s"
    + words(
        """
        shows | depicts | contains | describes | represents | refers | says | states | mentions | talks | suggests
        involves | implies | indicates | illustrates | features | displays | consists | includes | has | had
        starts | begins | moves | appears in | lies
        """
    )
)
_DASH = r"[,.;…—–-]"
_BACK = words(
    """
    i was wrong | i take (?:that|it) back | scratch that | strike that | that isn't right | that can't be right
    not really | not quite | isn't right | isn't correct | i made a mistake | i made an error | disregard
    ignore that
    never mind | nevermind
    """
)
# "... Wait, that is wrong."
TAKEN_BACK = Pattern(
    rf"[^.!?\n]{{0,60}}?(?:{_DASH}\s{{0,3}}|\bbut\s|\bhowever\s)(?:wait|no\b,?|hmm|but|however|actually|sorry|oops|hold\son|scratch|though)?"
    r"[\s,.!—–-]{0,4}(?:but\s|no,?\s|actually,?\s|wait,?\s){0,3}"
    r"(?:(?:that|this|it)(?:'s|\sis|\swas|\sisn't|\scan't|\scannot|\swould\sbe)(?:\s\w{2,12}){0,2}\s"
    rf"(?:wrong|incorrect|not\sright|not\scorrect|right|a\smistake|mistaken|false|impossible|not\s(?:it|true|possible))|{_BACK})"
)
YES = Pattern(
    r"[\s\"')\]]{0,3}\?\s{0,3}(?:(?:yes|yep|yeah|correct|right|exactly|indeed|bingo|sure|i\s(?:believe|think)\sso|it\sis)\b|[✓✅]|是的|对)"
)
NO = Pattern(r"[\s\"')\]]{0,3}\?\s{0,3}(?:(?:no|nope|not|wrong|incorrect|hardly|never)\b|[❌✗不])")
WHY = Pattern(r"\s(?:because|since|as\s(?:it|the|there))\b")
STOP = Pattern(r"[\s\"')\]]{0,3}(?:[.!](?=\s|\Z)|\Z)")
ALONE = Pattern(r"[\s\"')\]]{0,3}[.!]?\s*\Z")
_GO_ON = any_of(
    """
    because | since | as | given | due | based | for | with | which | where | that | instead | here | and | but | so
    in | now | by | please | if | again | then | to | on | from | at | rather | over | not | after | when
    while | than
    maybe | probably | perhaps | possibly | definitely | certainly | obviously | clearly | surely | i'd | i
    however | although | though | whereas | considering | seeing | hence | therefore | too
    """
)
# The option ends its phrase: a stop, a bracket, a conjunction, another script.
ENDS = Pattern(
    rf"[\s\"')\]>]{{0,4}}(?:\Z|[.!。;,;、:?\n(|/…—–-]|{_GO_ON}\b"
    r"|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0400-\u06ff\u0900-\u0dff\u0e00-\u0e7f]|[\U0001f300-\U0001faff☺✨])"
)
