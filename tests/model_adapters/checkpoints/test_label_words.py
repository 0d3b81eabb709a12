"""Words that a method compares are looked for among a checkpoint's tokens before anything is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calling import call
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.model_adapters.checkpoints.label_tokens import labels_without_token


def checkpoint(folder: Path, *words: str) -> Path:
    """A folder with the small files of a checkpoint, whose tokenizer knows these words and splits no other."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen3_vl"}))
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token=words[0]))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def split_words(folder: Path) -> Path:
    """Another, whose tokenizer knows the 256 bytes and no more."""
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel

    path = checkpoint(folder, "Yes")
    tokenizer = Tokenizer(BPE({char: number for number, char in enumerate(ByteLevel.alphabet())}, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.save(str(path / "tokenizer.json"))
    return path


def test_words_of_several_tokens_are_named_and_letters_pass(tmp_path: Path) -> None:
    known = Checkpoint(str(checkpoint(tmp_path / "words", "Yes", "No")))
    assert labels_without_token(known, ["Yes", "No", "A"]) == []
    split = Checkpoint(str(split_words(tmp_path / "bytes")))
    assert labels_without_token(split, ["Yes", "Y", "No", "N"]) == ["Yes", "No"]


def test_without_its_file_nothing_is_said(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "words", "Yes")
    (path / "tokenizer.json").unlink()
    assert labels_without_token(Checkpoint(str(path)), ["Yes"]) == []


def test_a_method_whose_words_are_no_tokens_is_refused_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = f"hf:{split_words(tmp_path / 'bytes')}"
    asked = ("--model", spec, "--split", "demo", "--tasks", "animal", "--dry-run", "--method")
    assert call(*asked, "verify") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "no single token for 'Yes' and 'No'" in said
    assert "verify:say=Y/N" in said
    assert call(*asked, "verify:say=Y/N") == 0
    assert call(*asked, "once") == 0
