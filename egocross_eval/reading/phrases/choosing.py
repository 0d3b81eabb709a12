"""Phrases that choose the option behind them: "the answer is B", "I would go with B", "therefore B", "it is B".

Every pattern here ends where the text it searches ends: right before the option.
"""

from __future__ import annotations

from egocross_eval.reading.patterns import Pattern, any_of, words

# What may stand between a phrase and the option it speaks of: "I choose [the option labelled] B".
_FILLERS = words(
    """
    the | options? | choices? | letters? | answers? | number | one | statement | caption | sentence | image | picture
    figure | point | video | frame | shape | pattern | graph | diagram | object | item | candidate | project | person
    set | character | description | alphabet | capital | response | indeed | clearly | therefore | thus | definitely
    probably | most | likely | simply | just | still | then | now | obviously | certainly | surely | actually | in fact
    again | only | either | hence | so | also | of course | given | highly | very | more | without a doubt | undoubtedly
    evidently | apparently | presumably | arguably | maybe | perhaps | possibly | my | correct | right | best | final
    i think | i believe | i'd say | i would say | i guess | that | is | it | it's | its | be | going | to | say | go
    as | follows | below | following | labell?ed | marked | with | represented by | by | indicated | shown | in | about
    approximately | around | roughly | nearly | exactly | at | almost | lettera | buchstabe | litera | буква | la | el
    le | die | der | das | letra | lettre | alternativa | opci[oó]n | opção | optie | opzione | r[eé]ponse
    """
)
FILL = rf"(?:[\s:\"'(\[<,«=~]|{_FILLERS})*"

_NOUN = words(
    """
    answers? | ans | anwsers? | asnwers? | ansers? | awnsers? | option | choice | selection | response | solution
    prediction | pick(?! up) | guess | verdict | conclusion | decision | result | letter | bet | vote | judge?ment
    label | output | reply | match
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
    r[eé]ponse | respuesta | resposta | risposta | antwort | lösung | antwoord | ответ | jawaban(?:nya)? | cevap
    odpowiedź | đáp án | câu trả lời | svar(?:et)? | vastaus | yanıt | kunci | odpověď | răspuns(?:ul)? | απάντηση
    відповідь | válasz
    """
)
_FOREIGN_OPTION = words("alternativa | opción | opção | opzione | option | вариант | letra | lettera | buchstabe")
_FOREIGN_RIGHT = words("correct[aeo]? | corrett[ao] | corret[ao] | cert[ao] | richtige? | верный | правильный | juiste")
_FOREIGN_BE = words("est | es | é | è | ist | lautet | is | jest | là | adalah | är | er | on | to | je | este | είναι")
_FOREIGN_IS = rf"(?:[:=—]|{_FOREIGN_BE})"
_EASTERN_ANSWER = "(?:ตอบ|คำตอบที่ถูกต้อง|答え|正解|解答|정답|답변|답|उत्तर|الإجابة|الجواب|תשובה|คำตอบ)"
_CHINESE_ANSWER = "(?:答案|正确选项|正确的选项|正确的答案|最佳选项|正确的是|结论)"

# "The correct answer to this question is most likely option ..."
STATEMENT = Pattern(
    rf"(?:{_HEAD}{FILL}"
    rf"|(?:\A|[\n.:;,!])\s{{0,4}}(?:(?:my|the|final|correct|best|so|your)\s){{0,3}}(?:answer|ans|anwser|asnwer)\b\W{{0,6}}"
    rf"|(?:\A|[\n.;,!])\s{{0,4}}(?:correct|right|true|best|final|keep|remaining|now)\s?[:=–-]{FILL}"
    rf"|(?:{_FOREIGN_ANSWER}|{_FOREIGN_OPTION}\s{_FOREIGN_RIGHT})(?:[^.;\n]{{0,40}}?{_FOREIGN_IS}|\s)(?:{FILL}|\ba\s){{1,3}}"
    rf"|{_FOREIGN_RIGHT}\s{_FOREIGN_OPTION}\s{FILL}"
    rf"|{_EASTERN_ANSWER}[^.;\n。]{{0,20}}?(?:[:=]|は|은|는|है|هي|هو|คือ|\s){FILL}"
    rf"|{_CHINESE_ANSWER}[^.;\n。,]{{0,24}}?(?:[:=\]\n]|是|为|应|选|即|→)(?:是|为|选项|选择|选|字母|[\s\"'(\[:])*"
    rf"|(?:\A|[\n。])\s{{0,4}}答\s?[:]\s?[\"'(\[]?"
    rf"|(?:答案|正确选项)\s?[\"'(\[]?)\Z"
)

# "Final answer: ...", on a line of its own.
ANSWER_LABEL = Pattern(r"(?:\A|\n)\W{0,6}(?:the\s|my\s)?(?:final\s|correct\s)?answer(?:\sis)?\s?[:=]?\W{0,6}\Z")

_SUBJECT = words(
    """
    i | we | let's | 'd | 'll | 'm | 've | have | will | would | should | must | could | can | to | and | then | so
    gonna | therefore | thus | hence | definitely | probably | also | just | rather | finally | am | we're | ultimately
    now | is
    """
)
_CHOOSE = any_of(
    """
    choose | chose | choosing | pick | picked | picking | select | selected | selecting | go with | go for | going with
    going for | went with | opt for | opted for | opting for | settle on | settle for | settling on | settled on
    settled for | landed on | land on | vote for | vote | answer(?: with)? | answered | respond(?: with)? | lock in
    stick with | sticking with | bet on | lean towards? | leaning towards? | lean to | conclude(?: that)? | prefer
    favou?r | submit | stay with | side with | default to | defaulting to | tick | guess | guessing | recommend
    give you the letter | enter | report | output | print | return | take
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
    is | was | are | be | means | equals? | corresponds? to | corresponding to | match(?:es)?(?: with| to)? | matching
    closest to | indicates? | points? to | pointing to | leads? (?:us |me )?to | leaves?(?: us| me)?(?: only)?(?: with)?
    leaving(?: us)?(?: only)?(?: with)? | left with | remains? | remaining | gives?(?: us)? | yields? | suggests?
    supports? | favou?rs? | implies | namely | results? in | refers? to | confirm(?:s|ing)? | identified as
    described (?:by|in) | shown in | depicted in | represented by | consistent with | aligns? with | fits? | makes?
    i get | we get | we have | we find | we obtain | becomes? | called | choose | considered | known as | would be
    keep | (?:looks?|seems?|sounds?|appears?) (?:more |most |a lot |very |much )?like | sera | c'est | est | es | ist
    é | è
    """
)
# "This corresponds to ...", "it is ..."
COPULA = Pattern(
    rf"(?:(?:{_MEANS}|'s\b|i\.e\.|∴|=|(?<![A-Z])\s?(?:→|->|=>)|剩下|只剩|余下|锁定|符合|对应|就是|属于|即|应为|是|为){FILL})\Z"
)

_SO = words(
    """
    so(?! (?:is|are|was|does|do|can)(?: |$)) | therefore | thus | hence | thereby | consequently | accordingly | finally
    ergo | overall | in conclusion | in summary | to conclude | in short | conclusion | to sum up | that leaves
    leaving | final | bottom line | verdict | tl;dr | donc | deshalb | por lo tanto | alors
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

# A box that is ticked.
TICKED = Pattern(r"[(\[]\s?[xX✓✔]\s?[)\]]\s{0,3}\Z", 0)
