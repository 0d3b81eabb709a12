"""Where an output repeats its prompt or goes on with a turn that the model invented: the reply between the two."""

from __future__ import annotations

from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern, any_of
from egocross_eval.reading.text.offsets import View

_REPLY_MARK = Pattern(
    r"(?:\bASSISTANT|\bAssistant|###\s?(?:Response|Assistant|Answer)|\bGPT|\bModel|\bBot)\s?:[ \t]*"
    r"|### (?:Response|Assistant)[ \t]*\n|(?:\A|\n)[ \t]*(?:assistant|model)[ \t]*\n",
    0,
)
_PROMPT_MARK = Pattern(
    r"\b(?:USER|User|Human|HUMAN|Instruction|INST)\b\s?:?|### (?:Instruction|Human|Question)"
    r"|(?:\A|\n)[ \t]*(?:user|human|system)[ \t]*\n",
    0,
)
_SPEAKER = any_of(
    """
    (?:Next |Another |New )?[Qq]uestion | Q | QUESTION | 问题 | 题目 | 用户 | 助手 | User | USER | Human | HUMAN
    Instruction | Input | Problem | Example | Exercise | Context | Passage | Assistant | ASSISTANT | AI | Bot | GPT
    System | SYSTEM | Pregunta | Pergunta | Domanda | Frage | Vraag | Вопрос | Soru | Pytanie | Câu hỏi | Fråga
    Pertanyaan | 質問 | 문제 | 질문 | السؤال | प्रश्न | คำถาม | Usuario | Utilisateur | Benutzer | Пользователь
    """
)
_ROLE = any_of("assistant | user | human | system | model")
_NEXT_TURN = Pattern(
    rf"\n[ \t]{{0,4}}(?:[*#]{{0,4}}\s?{_SPEAKER}\s{{0,2}}(?:\#?\d{{1,3}}|\([a-z]\))?\s?[*]{{0,2}}\s?:"
    r"|#{2,4}\s(?:Instruction|Question|Human|User|Input|Assistant|Response)\b"
    r"|</?(?:human|user|assistant|bot|system)>:?|You are an? (?:AI|helpful)|Write an? "
    r"|Please (?:determine|answer the following|judge))"
    rf"|\s(?:USER|ASSISTANT|HUMAN):|(?:\n[ \t]*|(?<=[A-Z.!?)\]*\"'。])[ \t]?)(?P<bare>{_ROLE})[ \t]*(?=\n|\Z)"
    r"|\n[ \t]*(?P<named>Assistant|User|Human|System|Model)[ \t]*(?=\n)",
    0,
)
_QUESTION_AND_ANSWER = Pattern(r"\s{0,8}Q(?:uestion)?\s?\d{0,3}\s?:[^\n]{0,2000}\n\s{0,8}A(?:nswer)?\s?:\s{0,4}", 0)
_LABEL_B = Pattern(r"\n\s{0,8}[(\[]?B[)\]]?\s?[:.)]", 0)
_NUMBERED = Pattern(r"(?:Question|Q)\s?\d", 0)
_LABELLED = Pattern(r"(?:\A|\n)[ \t]*[(\[]?([A-Z])[)\].:][ \t]*(\S[^\n]*)", 0)


def after_prompt(view: View) -> View:
    """The reply behind an echoed prompt, where turn marks tell the two apart."""
    asked = _QUESTION_AND_ANSWER.match(view.text)
    if asked and not _LABEL_B.search(view.text, asked.end()):
        return view.slice(asked.end())
    replies = list(_REPLY_MARK.finditer(view.text))
    if not replies or not view.text[replies[-1].end() :].strip():
        return view
    if not view.text[: replies[0].start()].strip() or _PROMPT_MARK.search(view.text, 0, replies[0].start()):
        return view.slice(replies[0].end())
    return view


def turns(view: View, options: OptionSet) -> list[View]:
    """What the output says before a turn or question that the model went on to invent, the shortest part first.

    An output that begins with a prompt it echoes gives its reply up to the next question.
    """
    parts = []
    reply = after_prompt(view)
    echoed = _PROMPT_MARK.match(view.text.lstrip()) is not None
    for part in [view] if reply is view else [reply] if echoed else [view, reply]:
        start = len(part.text) - len(part.text.lstrip())
        if _NUMBERED.match(part.text, start):  # answers to several questions, none of them made up
            continue
        for turn in _NEXT_TURN.finditer(part.text, start + 1):
            if options.exact(turn["bare"] or turn["named"] or "") is None:
                parts.append(part.slice(0, turn.start()))
                break
    return parts


def asks_anew(text: str, options: OptionSet) -> bool:
    """Whether a text lists options of another question."""
    listed = [match[2] for match in _LABELLED.finditer(text)]
    return len(listed) > 1 and not any(options.exact(each) for each in listed)


def echoes_options(text: str, options: OptionSet) -> bool:
    """Whether a text repeats the list of all options, as the prompt has it."""
    listed = {match[1] for match in _LABELLED.finditer(text) if options.exact(match[2]) == options.valid(match[1])}
    return len(listed) >= len(options.letters)
