"""Phrases that rule an option out: "it is not B", "I would exclude B", "B is wrong", "B does not fit".

`DENIED`, `ABSENT` and `NO` stand right behind an option, the others right before it.
"""

from __future__ import annotations

from egocross_eval.reading.patterns import Pattern, any_of, words
from egocross_eval.reading.phrases.judging import ADVERB, BE, SKIP

_DENIAL_FILL = (
    r"(?:[\s\"'(\[:]|"
    + words(
        """
        look | looks | like | seem | appear | resemble | match | fit | make | makes | sense | it | this | possibly
        ever | any | way | del | la | el | le | die | der | das | l' | the | options? | choices? | letters? | answers?
        be | a | an | to | choose | pick | select | selecting | choosing | with | say | statements? | points? | images?
        pictures? | captions? | sentences? | figures? | going | go | it's | it is | that | both | either | necessarily
        really | in | of | correct | just | simply | exactly | for | likely | out | as | even | is | are
        """
    )
    + ")*"
)
_DENY = words(
    """
    not(?! only) | no sense | cannot | never | neither | nor | rules? out | ruled out | ruling out
    eliminat(?:e|es|ed|ing) | exclud(?:e|es|ed|ing) | rejects? | rejected | rejecting | discard(?:s|ed|ing)?
    dismiss(?:es|ed|ing)? | rather than | instead of | other than | except | excepting | unlike | against | without
    avoid(?:s|ing)? | far from | anything but | as opposed to | opposed to | over | than | contrary to | distractors?
    disagree with | no longer | cross(?:es|ed|ing)? out | contradicts? | wrong to | incorrect to | mistake to
    tempting to | doubt | unlikely(?: that)? | differs? from | different from | compared (?:to|with) | refutes?
    disproves? | skip | versus | vs | (?:wrong|incorrect|false) (?:answers?|options?|choices?|ones?)(?: is| are|:)?
    less (?:likely|plausible|accurate) than | nothing (?:supports?|suggests?|indicates?|shows?|points to|speaks for)
    no es | no puede(?:n)? ser | (?:n'est |peut |peuvent )?pas(?: être)? | nicht | kein(?:e|er)? | keinesfalls
    non(?: è| può essere| possono essere)? | não(?: é| pode ser| podem ser)? | niet | geen | nie(?: jest| może być)?
    не(?: может быть| является| подходит)? | inte | ikke | ei | bukan(?:lah)? | tidak | không(?: phải(?: là)?)? | ni
    nem | nem lehet | není | nu(?: este)? | δεν είναι | όχι
    """
)
_NOT_THINK = (
    words(
        """
        don't | do not | doesn't | does not | didn't | did not | wouldn't | would not | can't | cannot | can not
        couldn't | won't | hardly | never
        """
    )
    + r"\s(?:\w{1,12}\s)?"
    + words(
        """
        think | believe | say | see | agree | consider | conclude | expect | suspect | claim | guess | choose | pick
        select | recommend | mean | support | go with | confirm | call | make
        """
    )
)
_UNSURE = words(
    """
    not sure | unsure | not certain | not convinced | doubtful | unlikely | no way | no evidence | no indication
    no reason | impossible
    """
)
_THAT_IT_IS = words(
    """
    that | the | this | it | it's | is | are | would | could | should | can | be | correct | right | best | answer
    option | options | choice | letter | my | a | if | whether | to | think | choose | pick | for | supports? | of
    here | true | final | it'd
    """
)
# "It is not ...", "we can rule out ...", "I don't think that it is ..."
DENIAL = Pattern(
    rf"(?:(?:{_DENY}|\b(?:wrong|incorrect|false|out|impossible|excluded|eliminated|unlikely),?\sand\sso\b|n't\b|\bvs\.|(?:\A|[\n.;,])\s{{0,3}}(?:wrong|incorrect|false|eliminated?|excluded?)\s?:|排除|不是|不选|并非|而非|不应选|不能选|不可能是|不会是|不能是|不应是|不该是|绝不是|非)"
    rf"{_DENIAL_FILL}|(?:{_NOT_THINK}|{_UNSURE})(?:[\s,]|{_THAT_IT_IS})*[\"'(\[]{{0,2}})\Z"
)

# "no bathroom", said of a thing.
NONE = Pattern(r"(?<!option )(?<!answer )(?<!choice )\bno\s[\"'(\[]{0,2}\Z")
_BUT = r"(?<!,\s)" + words("but | other than | except(?: for)? | besides | apart from | excluding")
_ALL = words("everything | all | every | each | any | none | the others? | other options | the rest")
# "It cannot be anything but ...", "rule out everything but ...": a denial turned round.
DOUBLE_DENIAL = Pattern(
    rf"(?:\b(?:none|nothing|no\s(?:option|choice|answer|one))\s(?:else\s)?{_BUT}"
    rf"|\b(?:cannot|can't|could\snot|couldn't)\s(?:possibly\s)?be\s(?:anything\s)?{_BUT}"
    rf"|{_ALL}[^.;\n]{{0,60}}\b(?:wrong|incorrect|eliminated|excluded|ruled\sout|false|impossible)[^.;\n]{{0,20}}?{_BUT}"
    rf"|\b(?:rule|ruled|ruling|eliminat\w{{1,4}}|exclud\w{{1,4}})\b[^.;\n]{{0,40}}{_ALL}[^.;\n]{{0,30}}{_BUT}"
    rf"|\bno\sdoubt(?:\sthat)?(?:\sit's|\sit\sis)?[,:]?|\bwithout\s(?:a\s|any\s)?doubt[,:]?|\bnot\sonly)"
    rf"\s(?:(?:options?|choice|answer|for|the|letter)\s){{0,2}}[\"'(\[]{{0,2}}\Z"
)
# "All options except ... are wrong"
EXCEPTED = Pattern(rf"{_ALL}[^.;\n]{{0,60}}{_BUT}\s{_DENIAL_FILL}\Z")
# "Other options:", "What is not shown:", above an option.
HEADING = Pattern(
    r"\b(?:others?|not|n't|wrong|incorrect|rejected|eliminated|excluded|ruled out|remaining|alternatives?|distractors?)"
    r"\b[^\n]{0,60}:\s*\Z"
)
# A box that is left open.
UNTICKED = Pattern(r"[(\[]\s{0,2}[)\]]\s{0,3}\Z", 0)

_BAD = any_of(
    r"""
    wrong | incorrect | inaccurate | false | untrue | ruled out | eliminated | excluded | rejected | discarded
    dismissed | unlikely | impossible | invalid | irrelevant | contradicted | contradictory | inconsistent | unsupported
    implausible | mistaken | off | out | a distractor | distractors? | unrelated | inappropriate | misleading
    less (?:likely|plausible|accurate|suitable|appropriate|relevant) | unreasonable | infeasible | crossed out
    too \w{1,14} | nowhere | absent | never | no good | bad | nonsense | a trap | traps? | improbable | a mistake
    an error | unnecessary | no\b(?! doubt) | falsch | fausse | incorrecta | incorreta | errada | sbagliata | onjuist
    неверн\w{1,3} | неправильн\w{1,3}
    """
)
_NOT_BAD = (
    rf"(?!\s{any_of('only | wrong | incorrect | bad | excluded | eliminated | ruled out | impossible | unlikely')})"
)
_FAILS = any_of(
    """
    isn't | aren't | wasn't | weren't | doesn't | don't | didn't | can't | cannot | can not | couldn't | could not
    won't | wouldn't | would not | does not | do not | did not | has not | hasn't | will not | should not | shouldn't
    fails? | contradicts? | conflicts? | lacks? | has no | have no | had no | makes no | never | ignores? | shows? no
    makes? no | gets? (?:ruled|eliminated) | goes against | falls? short
    """
)
_CROSS = "[❌✗✘×✖👎]"
# A gap within one Chinese clause, ending before it turns to other options.
_CHINESE_GAP = r"(?:(?!因|其他|其余|另|而|由于|别的|所以|故)[^。,;\nA-Z]){0,30}?"
_CHINESE_BAD = r"(?:错误|不正确|不对|有误|不符|排除|不成立|不合|(?:不可能|不是|不选|不会)(?!是?\s?[(\[]?[A-Z])|错)"

DENIED = Pattern(
    rf"{SKIP}(?:(?:{ADVERB}\s){{0,2}}{_FAILS}\b{_NOT_BAD}"
    rf"|{BE}\s(?:{ADVERB}\s){{0,3}}(?:not\b{_NOT_BAD}|n't\b|{_BAD})"
    rf"|de[gğ]il\b|नहीं|では(?:ありません|ない)|じゃない|(?:가|는|이|은)?\s?(?:아니|아닙)"
    rf"|(?:{_BAD}(?<!off)(?<!out)(?<!bad))(?=\W|\Z)|{_CROSS}|{_CHINESE_GAP}{_CHINESE_BAD})"
    rf"|\s?[:=(|–—-]{{1,2}}\s?\(?(?:not\b(?!\s(?:only|[A-Z]\b))|(?:wrong|incorrect|false|no(?!\s(?:way|doubt|need|other|[A-Z]\b))|n|eliminated|ruled\sout|unlikely|"
    rf"impossible|doesn't|isn't)\b|{_CROSS}|{_CHINESE_BAD})"
    rf"|\s?[(:|-]{{0,2}}\s?{_CROSS}"
)

# "... is not visible": said of a thing, not of an answer.
ABSENT = Pattern(
    rf"{SKIP}(?:(?:is|are|was|were|do|does|did)(?:n't|\snot)|can(?:not|'t|\snot)\sbe|never)\s(?:\w{{2,12}}\s)?"
    r"(?:visible|seen|shown|present|observed|in\s|used|detected|appear|found|featured|displayed|there)"
)
NO = Pattern(r"[\s\"')\]]{0,3}\?\s{0,3}(?:(?:no|nope|not|wrong|incorrect|hardly|never)\b|[❌✗不])")
