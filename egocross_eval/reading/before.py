"""Phrases that stand right before an option and tell what the text does with it.

Every pattern here ends with the end of the text it searches: the stretch before the option.
"""

from __future__ import annotations

from egocross_eval.reading.patterns import Pattern, any_of, words

# What may stand between a phrase and the option it speaks of: "I choose [the option labelled] B".
_FILLERS = words(
    """
    the | options? | choices? | letters? | answers? | number | one | statement | caption | sentence | image
    picture
    figure | point | video | frame | shape | pattern | graph | diagram | object | item | candidate | project
    person
    set | character | description | alphabet | capital | response
    indeed | clearly | therefore | thus | definitely | probably | most | likely | simply | just | still | then | now
    obviously | certainly | surely | actually | in fact | again | only | either | hence | so | also | of course
    given
    highly | very | more | without a doubt | undoubtedly | evidently | apparently | presumably | arguably | maybe
    perhaps | possibly | my | correct | right | best | final
    i think | i believe | i'd say | i would say | i guess | that | is | it | it's | its | be | going | to | say | go
    as | follows | below | following | labell?ed | marked | with | represented by | by | indicated | shown | in
    about | approximately | around | roughly | nearly | exactly | at | almost
    lettera | buchstabe | litera | буква | la | el | le | die | der | das | letra | lettre | opci[oó]n | opção
    optie
    opzione | r[eé]ponse
    """
)
FILL = rf"(?:[\s:\"'(\[<,«=~]|{_FILLERS})*"

_NOUN = words(
    """
    answers? | ans | anwsers? | asnwers? | ansers? | awnsers? | option | choice | selection | response | solution
    prediction | pick(?! up) | guess | verdict
    conclusion | decision | result | letter | alternative | candidate | bet | vote | judge?ment | label | output
    reply | match
    """
)
_BE = words(
    """
    is | was | are | be | remains? | stays? | becomes? | being | would | should | has to | must | goes to | falls on
    """
)
_IS = rf"(?:[:=]|→|->|=>|>>|\]|\||\s[-–]\s|—|–|\n|'s\b|{_BE})"
_OTHERS_NOUN = (
    r"(?<!wrong )(?<!incorrect )(?<!previous )(?<!earlier )(?<!initial )(?<!first )(?<!false )(?<!each )(?<!every )"
)
_HEAD = rf"{_OTHERS_NOUN}{_NOUN}(?!\s(?:choices|options)\b)(?:(?!\b(?:because|since)\b)[^.;\n]){{0,110}}?{_IS}"

_FOREIGN_ANSWER = words(
    """
    r[eé]ponse | respuesta | resposta | risposta | antwort | lösung | antwoord | ответ | jawaban | cevap | odpowiedź
    đáp án | svar | vastaus | alternativa | yanıt | kunci
    """
)
_FOREIGN_IS = rf"(?:[:=—]|{words('est | es | é | è | ist | lautet | is | jest | là | adalah | är | on')})"
_EASTERN_ANSWER = "(?:答え|正解|解答|정답|답변|답|उत्तर|الإجابة|الجواب|תשובה|คำตอบ)"
_CHINESE_ANSWER = "(?:答案|正确选项|正确的选项|正确的答案|最佳选项|正确的是|结论)"

# "The correct answer to this question is most likely option ..."
STATEMENT = Pattern(
    rf"(?:{_HEAD}{FILL}"
    rf"|(?:\A|[\n.:;,!])\s{{0,4}}(?:(?:my|the|final|correct|best|so|your)\s){{0,3}}(?:answer|ans|anwser|asnwer)\b\W{{0,6}}"
    rf"|(?:\A|[\n.;,!])\s{{0,4}}(?:correct|right|true|best|final|keep|remaining|now)\s?[:=–-]{FILL}"
    rf"|{_FOREIGN_ANSWER}[^.;\n]{{0,40}}?{_FOREIGN_IS}{FILL}"
    rf"|{_EASTERN_ANSWER}[^.;\n。]{{0,20}}?(?:[:=]|は|은|는|है|هي|هو|คือ|\s){FILL}"
    rf"|{_CHINESE_ANSWER}[^.;\n。,]{{0,24}}?(?:[:=\]\n]|是|为|应|选|即|→)(?:是|为|选项|选择|选|字母|[\s\"'(\[:])*"
    rf"|(?:\A|[\n。])\s{{0,4}}答\s?[:]\s?[\"'(\[]?"
    rf"|(?:答案|正确选项)\s?[\"'(\[]?)\Z"
)

_SUBJECT = words(
    """
    i | we | let's | 'd | 'll | 'm | 've | have | will | would | should | must | could | can | to | and | then | so
    gonna | therefore | thus | hence | definitely | probably | also | just | rather | finally | am | we're
    ultimately
    now | is
    """
)
_CHOOSE = any_of(
    """
    choose | chose | choosing | pick | picked | picking | select | selected | selecting | go with | go for
    going with
    going for | went with | opt for | opted for | opting for | settle on | settle for | settling on
    settled on | settled for | landed on | land on | vote for
    vote
    answer(?: with)? | answered | respond(?: with)? | lock in | stick with | sticking with | bet on | lean towards?
    leaning towards? | lean to | conclude(?: that)? | prefer | favou?r | submit | mark | circle | stay with
    side with
    default to | defaulting to | tick | guess | guessing | recommend | give you the letter | enter
    report | output | print | return
    take
    """
)
_THINK = words("think | believe | suspect | feel | guess | reckon | assume | confident | sure | certain | convinced")
_SAY = r"\bi(?:'d|\swould|\swill|'ll|\sshall|\shave\sto|\smust)?\s(?:\w{1,12}\s)?(?:say|said)\b"

# "I would choose ...", "let's go with ..."
CHOICE = Pattern(
    rf"(?:(?:(?:\A|[.,;:!?\n—–)])|{_SUBJECT})\s{{0,3}}{_CHOOSE}{FILL}"
    rf"|{_SAY}{FILL}"
    rf"|\bi(?:'m|\sam)?\s(?:\w{{1,12}}\s){{0,2}}{_THINK}{FILL}"
    rf"|(?:倾向于|更倾向|觉得是|认为是|猜是?)\s?[\"'(\[]?|(?<![不别勿误挑备候能])选(?:择)?(?:的是|了|出|答案|定)?\s?[:\"'(\[]*(?:选项)?\s?[\"'(\[]?"
    rf"|\b(?:choose|select|pick|answer|option|final_answer|submit)\s?\(\s?[\"']?)\Z"
)

# "The person will take the knife": told of somebody, no choice of the answer.
HANDLED = Pattern(
    r"\b(?:person|people|he|she|they|man|woman|user|wearer|hand|hands|surgeon|doctor|operator|worker|player|rider|animal)\b"
    r"[^.\n;]{0,60}\b(?:takes?|picks?|selects?|marks?|enters?|prints?|returns?|circles?)\b[^.\n;]{0,20}\Z"
)

_MEANS = words(
    """
    is | was | are | be | means | equals? | corresponds? to | corresponding to | match(?:es)?(?: with| to)?
    matching
    closest to | indicates? | points? to | pointing to | leads? (?:us |me )?to | leaves?(?: us| me)?(?: only)?(?: with)?
    leaving(?: us)?(?: only)?(?: with)? | left with | remains? | remaining | gives?(?: us)? | yields?
    suggests? | supports?
    favou?rs? | implies | namely | results? in | refers? to | confirm(?:s|ing)? | identified as
    described (?:by|in) | shown in | depicted in | represented by | consistent with | aligns? with | fits? | makes?
    i get | we get | we have | we find | we obtain | becomes? | called | choose | considered | known as
    would be | keep
    (?:looks?|seems?|sounds?|appears?) (?:more |most |a lot |very |much )?like | sera | c'est | est | es | ist
    é | è
    """
)
# "This corresponds to ...", "it is ..."
COPULA = Pattern(
    rf"(?:(?:{_MEANS}|'s\b|i\.e\.|∴|=|(?<![A-Z])\s?(?:→|->|=>)|剩下|只剩|余下|锁定|符合|对应|就是|属于|即|应为|是|为){FILL})\Z"
)

_SO = words(
    """
    so | therefore | thus | hence | thereby | consequently | accordingly | finally | ergo | overall | in conclusion
    in summary | to conclude | in short | conclusion | to sum up | that leaves | leaving | final | bottom line
    verdict
    tl;dr | donc | deshalb | por lo tanto | alors
    """
)
_IT_IS = (
    r"(?:it|that|this|they|these|those)"
    r"(?:'s|'re|\sare|\sis|\smust\sbe|\sshould\sbe|\shas\sto\sbe|\swould\sbe|\scan\sonly\sbe)"
)
# "Therefore, ...", "so it is ..."
CONCLUSION = Pattern(
    rf"(?:(?:\A|[\s.,;:!(]){_SO}|∴|(?<![A-Z])(?<![A-Z][\s)])(?:=>|→|->)|因此|所以|故|综上(?:所述)?|最终)"
    rf"\s{{0,2}}[,:]?\s{{0,4}}(?:{_IT_IS}\s{{0,2}})?{FILL}\Z"
)
# A sentence that says nothing else: "It's B."
PLAIN = Pattern(r"(?:\A|[.!?\n]\s{0,3})(?:so\s|then\s)?(?:it's|it\sis|that's)\s(?:option\s|choice\s)?[\"'(\[]?\Z")
# Right before a sentence of its own, or behind an opening phrase: "On balance, ...".
ALONE = Pattern(
    r"(?:(?:(?:[a-z\u3400-\u9fff]{2}|\b[Nn]ot [A-Z])[\"')]?[.!?…。)]{1,2}[\"']?|[a-z]{2}(?:;|\s[-–—]))[ \t]{1,3}"
    r"|\b[Bb]ut (?:probably|likely|most likely|possibly|maybe|perhaps|I think|I'd say|I guess) "
    r"|(?:\A|[.!?\n]\s{0,3})[A-Z][a-z][^.!?\n,:]{2,90}[,:]\s)" + FILL + r"\Z",
    0,
)

_REVISION = words(
    r"""
    wait | nope | actually | correction | corrected | scratch that | strike that | i mean(?:t)? | or rather | sorry
    oops | on second thoughts? | make (?:that|it) | hold on | hmm+ | my mistake | my bad | i misspoke | edit
    apologies | better | never mind | nevermind | sondern | sino | bensì
    let me (?:correct|fix|revise|change)[^.\n]{0,40} | revised?(?: answer)?(?: to)? | updated?(?: answer)?(?: to)?
    chang(?:e|ed|ing)\b[^.\n]{0,40}?\bto | switch(?:ed|ing)?\b[^.\n]{0,40}?\bto
    upon (?:reflection|closer|further|re)[\w-]*[^.\n,]{0,30}
    after (?:re-?\w+|closer|further|another|a second)[^.\n,]{0,40} | looking (?:again|closer|more closely) | instead
    re-?(?:checking|thinking|considering|examining|watching|reading)[^.\n,]{0,30}
    not (?:\w{1,12} ){0,3}?[\"'(]?[A-Za-z][\"')]?(?: as [^.,;\n]{2,40}| like [^.,;\n]{2,40})?,? but(?: rather| instead)?
    """
)
_REVISION_FILL = words(
    """
    no | wait | actually | so | but | that's wrong | that is wrong | i was wrong | it | that | this | it's | is
    it must be | it should be | should be | must be | the | correct | right | final | answer | i'll go with
    i go with
    i choose | i pick | i'd say | go with | let's go with | my | would be | now | i think | i believe | option
    choice
    letter
    """
)
# A box that is ticked, or left open.
TICKED = Pattern(r"[(\[]\s?[xX✓✔]\s?[)\]]\s{0,3}\Z", 0)
UNTICKED = Pattern(r"[(\[]\s{0,2}[)\]]\s{0,3}\Z", 0)
SENTENCE = Pattern(r"(?:\A|[.!?\n。]\s{0,3})\Z", 0)
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

_DENIAL_FILL = (
    r"(?:[\s\"'(\[:]|"
    + words(
        """
        the | options? | choices? | letters? | answers? | be | a | an | to | choose | pick | select | selecting
        choosing | with | say | statements? | points? | images? | pictures? | captions? | sentences? | figures?
        going
        go | it's | it is | that | both | either | necessarily | really | in | of | correct | just | simply
        exactly
        for | likely | out | as | even | is | are
        """
    )
    + ")*"
)
_DENY = words(
    """
    not(?! only) | never | neither | nor | rules? out | ruled out | ruling out | eliminat(?:e|es|ed|ing)
    exclud(?:e|es|ed|ing) | rejects? | rejected | rejecting | discard(?:s|ed|ing)? | dismiss(?:es|ed|ing)?
    rather than | instead of | other than | except | excepting | unlike | against | without | avoid(?:s|ing)?
    far from | anything but | as opposed to | opposed to | over | than | contrary to | distractors? | disagree with
    no longer | cross(?:es|ed|ing)? out | contradicts? | wrong to | incorrect to | mistake to | tempting to | doubt
    unlikely(?: that)? | differs? from | different from | compared (?:to|with) | refutes? | disproves? | skip
    versus | vs
    (?:wrong|incorrect|false) (?:answers?|options?|choices?|ones?)(?: is| are|:)?
    less (?:likely|plausible|accurate) than | no es | n'est pas | ce n'est pas | nicht | non è | não é | niet
    nie jest
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
    rf"(?:(?:{_DENY}|n't\b|\bvs\.|(?:\A|[\n.;,])\s{{0,3}}(?:wrong|incorrect|false|eliminated?|excluded?)\s?:|排除|不是|不选|并非|而非|不应选|不能选|不可能是|非)"
    rf"{_DENIAL_FILL}|(?:{_NOT_THINK}|{_UNSURE})(?:[\s,]|{_THAT_IT_IS})*[\"'(\[]{{0,2}})\Z"
)

# "no bathroom", said of a thing.
NONE = Pattern(r"\bno\s\Z")
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

_SAID = any_of(
    """
    think | say | argue | guess | assume | choose | pick | believe | expect | claim | be tempted | suggest | answer
    object | seem
    """
)
_OTHER_MIND = words(
    rf"""
    initially | at first | at a glance | at first glance | first thought | original(?:ly)? | previous(?:ly)?
    earlier
    (?:some|people|one|you|many|(?<!\bi )(?<!\bwe )(?:might|may|could|would|can)) (?:\w{{1,10}} )?{_SAID}
    tempting | tempted | was going to | was about to | first (?:impression|instinct|guess) | used to
    would have (?:been|said|chosen|picked) | would've | had (?:said|chosen|picked|assumed) | i thought | mistaken(?:ly)?
    thought (?:it was|it's|that|the answer was|of) | confused with | a common | distractor | instead of
    according to the question | question \d+ | the question asks | asked whether | example | for instance
    such as | format
    whether | template | like this | others say | user says | you said | suggested
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
        is | are | was | could | would | should | can | does | do | did | what | which | why | how | who | might
        will
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
