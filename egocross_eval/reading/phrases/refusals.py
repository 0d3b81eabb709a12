"""Phrases by which an output declines to answer or says that no option holds."""

from __future__ import annotations

from egocross_eval.reading.patterns import Pattern, any_of

_CANNOT = any_of(
    """
    can(?:not|'t| not) | could(?: not|n't) | unable to | not able to | impossible to | not possible to | difficult to
    hard to | won't | will not | am not going to | not feasible to | (?:isn't|is no) (?:possible|way) to
    not allowed to | refuse to | decline to
    """
)
_ANSWER = any_of(
    r"""
    be (?:\w{2,14} )?(?:determined|answered|identified|inferred|known|concluded|deduced|established|ascertained)
    be (?:\w{2,14} )?(?:decided|selected|seen|sure|certain) | determine | answer | identify | tell | say | provide
    choose | select | pick | see | view | access | analy[sz]e | infer | conclude | give | assist | help | make | process
    comply | decide | know | watch | find | fulfill | respond | discern | ascertain | verify | confirm | definitively
    complete | solve | predict | recommend | play | open | display | support | engage
    """
)
_GIVEN = any_of(
    "above | given | provided | available | answer | stated | four | five | three | two | possible | proposed"
)
_ONES = any_of("above | options? | choices | answers | these | those | them | statements | listed | given")
_GIVEN_ONES = rf"(?:{_GIVEN}\s){{0,3}}{_ONES}"
_NONE = any_of(
    rf"""
    (?:no|not|none|neither)(?: one)? of (?:the|these|those|them)?\s?{_GIVEN_ONES}\b(?! (?:that|which|except))
    none (?:is|are|of them|fits?|apply|applies|match(?:es)?|seem)
    neither (?:option|choice|answer|of (?:the|these|them))
    no (?:correct|right|valid|suitable|matching|appropriate) (?:answer|option|choice|response|letter)
    no (?:such|single|clear|definitive|definite) (?:answer|option|choice|response|letter)
    no (?:option|answer|choice) (?:is|matches|fits|given|provided|can|applies|seems|available|was)
    """
)
_MISSING = any_of(
    r"""
    (?:not|n't) (?:\w{2,12} )?(?:enough|sufficient|adequate|specified|listed|visible in any|among the|answerable)
    (?:not|n't) (?:\w{2,12} )?provided? (?:any |enough |the |sufficient )?(?:information|context|detail|data|evidence)
    (?:not|n't) (?:\w{2,12} )?(?:in the (?:list|options)|given in|one of the (?:options|choices)|applicable|included)
    (?:not|n't) (?:\w{2,12} )?(?:correct answer here|contain (?:any |enough |the )?information) | insufficient
    not enough | unanswerable | undetermined | undeterminable | indeterminate | cannot tell | can't tell | unknown
    unclear | not sure | unsure | i don't know | i do not know | no idea | not known | data insufficient
    lack of (?:information|context|evidence) | it depends | not (?:provided|given|available|mentioned|stated)
    no (?:information|image|video|context|evidence|frames|images|mention|way to) | i(?:'m| am) sorry | i apologi[sz]e
    as an ai | as a (?:large )?language model | i(?:'m| am) (?:just |only )?(?:an ai|a (?:text|language))
    against (?:ethical|my|the) | not appropriate | inappropriate to
    please (?:provide|upload|share|attach|send|clarify) | need more (?:information|context|details)
    more (?:information|context) (?:is|would be) (?:needed|required) | n/a | not applicable | skip(?:ped)?
    """
)
_CHINESE = any_of(
    """
    无法(?:从|确定|判断|回答|得出|选择|看到|识别|给出|提供|直接|根据|观看|访问) | 不能(?:确定|判断|回答) | 不确定
    没有(?:正确|给出|合适|足够|提供|一个) | 都不(?:对|正确|是|符合) | 均不(?:对|正确|是|符合)
    以上(?:都|皆|均)(?:不|非|错) | 无正确 | 信息不足 | 抱歉 | 对不起 | 作为(?:一个|一名)?(?:AI|人工智能|语言模型)
    无答案 | 无解 | 不知道 | 皆非
    """
)
DECLINES = Pattern(rf"\b(?:{_CANNOT}\s(?:\w{{2,14}}\s){{0,3}}?{_ANSWER}|{_NONE}|{_MISSING})\b|{_CHINESE}")
