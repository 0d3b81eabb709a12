"""Whether a server is in reach is found out in seconds, by way of the proxy where there is one."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from ports import closed_port

from egocross_eval.reachable import reachable


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def closed() -> Iterator[str]:
    with closed_port() as port:
        yield f"http://127.0.0.1:{port}"


def test_a_server_that_listens_is_in_reach_and_another_is_not(listening: str, closed: str) -> None:
    assert reachable(listening)
    assert not reachable(closed)


@pytest.mark.parametrize("address", ["", "nothing", "http://127.0.0.1:port", "ftp://127.0.0.1", "http://[::1"])
def test_what_is_no_address_is_out_of_reach(address: str) -> None:
    assert not reachable(address)


def test_behind_a_proxy_the_proxy_counts(listening: str, closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("http_proxy", listening)
    assert reachable("http://behind-the-proxy.invalid/models")
    monkeypatch.setenv("http_proxy", closed)
    assert not reachable("http://also-behind-the-proxy.invalid")
