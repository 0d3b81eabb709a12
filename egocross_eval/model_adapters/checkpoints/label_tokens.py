"""The tokens by which an answer can begin with a label (an option letter, `yes`): what choosing compares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint

TAIL = 64
"""Characters at the end of a rendered prompt that are tokenized together with a label."""


class LabelError(Exception):
    """Labels that can't be told apart by the first token of an answer; says which."""


def label_tokens(tokenizer: Any, text: str, labels: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Ids of the tokens by which an answer to the prompt `text` can be each label: `A`, and ` A` with a space.

    A form counts if it's exactly one token there. Raises LabelError where a label has none, or two labels share one.
    """

    def encode(piece: str) -> list[int]:
        ids: list[int] = tokenizer(piece, add_special_tokens=False)["input_ids"]
        return ids

    tail = text[-TAIL:]
    start = encode(tail)
    tokens: dict[str, tuple[int, ...]] = {}
    for label in labels:
        found = []
        for form in (label, f" {label}"):
            ids = encode(tail + form)
            if len(ids) == len(start) + 1 and ids[:-1] == start and ids[-1] not in found:
                found.append(ids[-1])
        if not found:
            remedy = "use --answer generate" if len(label) == 1 else "let the method ask for letters, as verify:say=Y/N"
            raise LabelError(
                f"the tokenizer has no single token for the label {label!r}, so its chance can't be told from one "
                f"token; {remedy}"
            )
        tokens[label] = tuple(found)
    used = [token for ids in tokens.values() for token in ids]
    if len(set(used)) != len(used):
        raise LabelError(
            f"the tokenizer gives two of the labels {', '.join(labels)} the same token; use --answer generate"
        )
    return tokens


def labels_without_token(checkpoint: Checkpoint, labels: Iterable[str]) -> list[str]:
    """Those of the labels that aren't one token of the checkpoint's, with or without a space in front.

    Read from `tokenizer.json` alone, without loading a model; single letters are taken for tokens, and all labels where
    there's no such file.
    """
    words = [label for label in labels if len(label) > 1]
    path = checkpoint.file("tokenizer.json") if words else None
    if path is None:
        return []
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))

    def is_token(text: str) -> bool:
        return len(tokenizer.encode(text, add_special_tokens=False).ids) == 1

    return [word for word in words if not (is_token(word) or is_token(f" {word}"))]


class LabelTokens:
    """The label tokens of one tokenizer; equal ends of prompts are looked at once."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._known: dict[tuple[str, ...], dict[str, tuple[int, ...]]] = {}

    def of(self, text: str, labels: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
        """Tokens by label for a prompt; raises as `label_tokens` does."""
        key = (text[-TAIL:], *labels)
        if key not in self._known:
            self._known[key] = label_tokens(self._tokenizer, text, labels)
        return self._known[key]
