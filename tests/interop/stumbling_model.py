"""A model class of lmms-eval's as plugins bring them: keeps what it gets, and stumbles over some questions."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, ClassVar

from lmms_eval.api.instance import GenerationResult, TokenCounts
from lmms_eval.api.model import lmms


class Stumbles(lmms):  # type: ignore[misc]
    """Says `B`; raises for whole lists that hold a question with the word given by `over`, and imports `needs`."""

    is_simple = False
    seen: ClassVar[list[list[dict[str, Any]]]] = []
    lists: ClassVar[list[int]] = []

    def __init__(
        self,
        over: str = "",
        needs: str = "",
        batch_size: int = 1,
        device: str = "",
        system_prompt: str = "Be kind.",
    ) -> None:
        super().__init__()
        self.over, self.needs, self.system_prompt = over, needs, system_prompt

    def generate_until(self, requests: Sequence[Any]) -> list[Any]:
        self.lists.append(len(requests))
        if self.needs:
            importlib.import_module(self.needs)  # as some classes do, only now
        answers = []
        for request in requests:
            _, doc_to_messages, kwargs, doc_id, task, split = request.args
            assert kwargs.pop("until") == []  # its own copy
            messages = doc_to_messages(self.task_dict[task][split][doc_id])
            messages.insert(0, {"role": "system", "content": [{"type": "text", "text": self.system_prompt}]})
            if self.over and self.over in str(messages):
                raise RuntimeError(f"CUDA out of memory at {self.over}")
            self.seen.append(messages)
            answers.append(GenerationResult(text="B", token_counts=TokenCounts(output_tokens=1)))
        return answers

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        raise NotImplementedError

    def generate_until_multi_round(self, requests: Sequence[Any]) -> list[str]:
        raise NotImplementedError
