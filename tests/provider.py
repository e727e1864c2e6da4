"""A provider of OpenID Connect on this machine, where anybody is who they say they are."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from tests.servers import free_port

PATIENCE = 60.0


class Organization:
    """The provider, and the people that it knows."""

    def __init__(self, url: str) -> None:
        self.url = url

    def knows(self, sub: str, **claims: Any) -> None:
        assert httpx.put(f"{self.url}/users/{sub}", json=claims).status_code == 204

    def confirms(self, address: str, sub: str) -> str:
        """What somebody does there: signs in, and is sent back to the address that this returns."""
        answer = httpx.post(address, data={"sub": sub})
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])


@contextmanager
def running() -> Iterator[Organization]:
    """In a process of its own: what its packages warn of is no concern of ours. It ends with the block."""
    port = free_port()
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/.well-known/openid-configuration")
        yield Organization(url)
    finally:
        child.terminate()
        child.wait(10)


def _wait_for(address: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if httpx.get(address).status_code == 200:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{address} did not answer within {PATIENCE:g} s.")
