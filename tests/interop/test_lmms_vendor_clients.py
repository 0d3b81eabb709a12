"""lmms-eval's clients of vendors, with the vendors' own packages, against a server on this machine."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_server import FakeServer
from other_environments import program
from PIL import Image
from tls_proxy import TlsProxy
from vendor_server import VendorServer

from egocross_eval import EgoCrossError, Run, evaluate

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SECRET = "sk-very-secret-key"
KEYS = ("ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "DASHSCOPE_API_KEY", "OPENAI_API_KEY", "REKA_API_KEY")
SPECS = {
    "claude": "model_version=m",
    "gemini": "model=m,max_retries=1",
    "gpt4v": "model_version=m",
    "litellm": "model=openai/m,max_retries=1",
    "qwen_vl_api": "model_version=m",
    "reka": "model_version=m",
}
ENCODED = {
    "claude": "JPEG, quality 85",
    "litellm": "JPEG, quality 85",
    "qwen_vl_api": "JPEG, quality 75",
}
"""Others send PNG."""


def letter(asked: Any) -> str:
    """By the question's words, however messages and frames part them."""
    return "ABCD"[hashlib.sha256(_words(asked.text).encode()).digest()[0] % 4]


def _words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with VendorServer(answers=letter) as server:
        yield server


@pytest.fixture
def openai() -> Iterator[FakeServer]:
    with FakeServer(models=("m",), api_key=SECRET, answers=letter) as server:
        yield server


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch, vendor: VendorServer, openai: FakeServer, tmp_path: Path) -> Iterator[None]:
    """All clients' servers are here, and they have their keys."""
    (tmp_path / "tls").mkdir()
    with TlsProxy("api.reka.ai", vendor.url, tmp_path / "tls") as proxy:
        settings = {
            "ANTHROPIC_BASE_URL": vendor.url,
            "GOOGLE_GEMINI_BASE_URL": vendor.url,
            "DASHSCOPE_HTTP_BASE_URL": f"{vendor.url}/api/v1",
            "OPENAI_BASE_URL": openai.base_url,
            "OPENAI_API_BASE": openai.base_url,
            "HTTPS_PROXY": proxy.url,
            "SSL_CERT_FILE": str(proxy.certificate),
            "HF_HUB_OFFLINE": "1",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            **dict.fromkeys(KEYS, SECRET),
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield


def spec(kind: str, more: str = "") -> str:
    return f"lmms:{kind},{SPECS[kind]}{more},python={program('lmms-clients', 'python')}"


def asked(demo: Path, folder: Path, model: str, limit: int, **keywords: Any) -> Run:
    return evaluate(model, data=demo, split="demo", output=folder, cache=False, limit=limit, **keywords)


@pytest.mark.parametrize("kind", SPECS)
def test_a_client_of_a_vendor_asks_in_our_words_with_all_frames_and_hears_the_same(
    demo: Path, tmp_path: Path, vendor: VendorServer, openai: FakeServer, kind: str
) -> None:
    model = f"openai:m,base_url={openai.base_url},api_key_env=OPENAI_API_KEY"
    ours = asked(demo, tmp_path / "ours", model, 6)
    expected = {_words(call.text): [data for _, data in call.images] for call in openai.calls}
    openai.calls.clear()
    theirs = asked(demo, tmp_path / "theirs", spec(kind), 6)
    calls: list[Any] = list(vendor.asked or openai.calls)
    assert {_words(call.text) for call in calls} == set(expected)
    for call in calls:
        shown = [image if isinstance(image, bytes) else image[1] for image in call.images]
        _same_frames(shown, expected[_words(call.text)], lossless=kind not in ENCODED)
    assert [sample.grade for sample in theirs.samples] == [sample.grade for sample in ours.samples]
    assert theirs.results.complete
    assert theirs.record.model.details["frames_encoded_as"] == ENCODED.get(kind, "PNG")
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def _same_frames(shown: list[bytes], sent: list[bytes], *, lossless: bool) -> None:
    assert len(shown) == len(sent)
    for one, other in zip(shown, sent, strict=True):
        found, known = (Image.open(io.BytesIO(data)).convert("RGB") for data in (one, other))
        assert found.size == known.size
        if lossless:
            assert found.tobytes() == known.tobytes()


@pytest.mark.parametrize("kind", ["claude", "gemini", "qwen_vl_api"])
def test_a_key_that_the_server_refuses_is_told_as_what_it_is(
    demo: Path, tmp_path: Path, vendor: VendorServer, kind: str
) -> None:
    vendor.refuse = lambda call: 401
    run = asked(demo, tmp_path / "run", spec(kind), 1)
    (failure,) = [sample.failure for sample in run.samples]
    assert failure is not None
    assert (failure.kind, failure.retryable) == ("http_401", False)
    assert "fault by script" in failure.message
    vendor.refuse = lambda call: None
    again = asked(demo, tmp_path / "run", spec(kind), 1)
    assert again.results.complete


def test_an_error_of_litellm_s_is_told_by_its_status(demo: Path, tmp_path: Path) -> None:
    run = asked(demo, tmp_path / "run", spec("litellm").replace("openai/m", "openai/other"), 1)
    assert [sample.failure.kind for sample in run.samples if sample.failure] == ["http_404"]


def test_settings_that_a_client_puts_aside_are_refused_or_kept_in_the_record(
    demo: Path, tmp_path: Path, vendor: VendorServer
) -> None:
    with pytest.raises(
        EgoCrossError, match=r"lmms:qwen_vl_api asks for fewer tokens than 4,000.*--max-new-tokens 1500"
    ):
        asked(demo, tmp_path / "run", spec("qwen_vl_api"), 2, max_new_tokens=4000)
    with pytest.raises(EgoCrossError, match="lmms:gemini doesn't hand on --top-p: leave it out"):
        asked(demo, tmp_path / "run", spec("gemini"), 2, temperature=0.5, top_p=0.9)
    with pytest.raises(EgoCrossError, match="lmms:qwen_vl_api doesn't hand on 'system_prompt'"):
        asked(demo, tmp_path / "run", spec("qwen_vl_api", ",system_prompt=Be kind."), 2)
    assert vendor.asked == []
    run = asked(demo, tmp_path / "reka", spec("reka"), 2)
    assert run.record.model.details["settings_left_out"] == ["max_new_tokens", "temperature", "top_p"]
    assert {"temperature", "max_tokens"}.isdisjoint(vendor.asked[0].body)


def test_a_system_text_reaches_the_server_whether_the_class_has_a_place_for_it_or_not(
    demo: Path, tmp_path: Path, vendor: VendorServer
) -> None:
    asked(demo, tmp_path / "claude", spec("claude"), 1, style="json")
    assert vendor.asked[0].body["system"].startswith("You watch first-person video")
    assert "You watch first-person video" not in vendor.asked[0].text
    vendor.asked.clear()
    asked(demo, tmp_path / "qwen", spec("qwen_vl_api"), 1, style="json")
    system, _, question = vendor.asked[0].text.partition("\n\n")
    assert system.startswith("You watch first-person video")
    assert "Question:" in question
