"""`deploy/nginx.conf` as it is given away: TLS outside, sockets and streams through it, the browser's own name held."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from tests.bench.product import ROOT, Child, Product, free_port
from tests.processes.conftest import BATTLE_ID, Reader

pytestmark = pytest.mark.processes
NAME = "localhost"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate; the key lies beside it."""
    place = tmp_path / "proxy.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={NAME}",
               "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(place.with_suffix(".key")),
               "-out", str(place)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return place


@pytest.fixture
def proxied(tmp_path: Path, product: Callable[..., Product], endpoint: str, certificate: Path) -> Iterator[str]:
    """A live instance behind nginx; yields the address that browsers use."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    instance, outside, plain = product(), free_port(), free_port()
    address = f"https://{NAME}:{outside}"
    instance.env |= {"PUBLIC_URL": address, "TRUSTED_PROXIES": "127.0.0.1"}
    instance.script("live_arena", base_url=endpoint, stream_mode="live", voters=1)
    instance.start()
    config = tmp_path / "nginx.conf"
    config.write_text(_whole((ROOT / "deploy/nginx.conf").read_text(), instance.port, outside, plain, certificate))
    with Child(nginx, "-p", str(tmp_path), "-c", str(config), env=dict(os.environ), log=tmp_path / "nginx.log"):
        _wait(address, certificate, tmp_path / "nginx.log")
        yield address


def _whole(block: str, inside: int, outside: int, plain: int, certificate: Path) -> str:
    """The server blocks within a whole configuration, on ports of this test and with its certificate."""
    changes = {
        r"listen 443 ssl": f"listen 127.0.0.1:{outside} ssl",
        r"listen 80": f"listen 127.0.0.1:{plain}",
        r"127\.0\.0\.1:8000": f"127.0.0.1:{inside}",
        r"/etc/ssl/arena\.example\.org\.pem": str(certificate),
        r"/etc/ssl/arena\.example\.org\.key": str(certificate.with_suffix(".key")),
        r"arena\.example\.org": NAME,
        r"Host \$host;": "Host $http_host;",  # the test's port is not 443
    }
    for pattern, to in changes.items():
        block, count = re.subn(pattern, to, block)
        assert count, f"deploy/nginx.conf has no {pattern} any more"
    folder = certificate.parent
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{block}\n}}\n"
    )


def _wait(address: str, certificate: Path, log: Path) -> None:
    for _ in range(100):
        try:
            httpx.get(f"{address}/healthz", verify=_trusting(certificate))
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"nginx did not come up: {log.read_text()}")


def _trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


async def test_a_voter_behind_tls_gets_frames_at_once_and_votes(proxied: str, certificate: Path) -> None:
    async with httpx.AsyncClient(base_url=proxied, verify=_trusting(certificate), timeout=20) as browser:
        page = await browser.get("/a/bench/")
        assert page.status_code == 200
        for cookie in page.headers.get_list("set-cookie"):
            assert "secure" in cookie.lower(), cookie
        token = browser.cookies["csrftoken"]
        origin = {"Origin": proxied, "Referer": f"{proxied}/a/bench/", "X-CSRFToken": token, "X-Fragment": "1"}
        opened = await browser.post(
            "/a/bench/battles/", data={"prompt": "tokens=30 rate=30 first=0.05"}, headers=origin
        )
        assert opened.status_code == 200, opened.text[:300]
        found = BATTLE_ID.search(opened.content)
        assert found
        battle = found[1].decode()

        reader = Reader()
        address = f"{proxied.replace('https', 'wss')}/ws/battles/{battle}/1/?after=0"
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
        async with websockets.connect(
            address, ssl=_trusting(certificate), origin=proxied, additional_headers={"Cookie": cookies}
        ) as socket:
            arrivals = await _read(reader, socket)
        assert reader.end == "complete"
        assert arrivals[-1] - arrivals[0] > 0.3, "frames came all at once: something on the way holds them back"

        voted = await browser.post(f"/a/bench/battles/{battle}/vote/", data={"winner": "a"}, headers=origin)
        assert voted.status_code == 200
        assert "Next battle" in voted.text
        foreign = await browser.post(
            "/a/bench/battles/", data={"prompt": "again"}, headers={**origin, "Origin": "https://evil.example"}
        )
        assert foreign.status_code == 403


async def _read(reader: Reader, socket: Any) -> list[float]:
    """When each frame came."""
    arrivals: list[float] = []
    while not reader.end:
        await reader.read(socket, frames=1)
        arrivals.append(time.monotonic())
    return arrivals
