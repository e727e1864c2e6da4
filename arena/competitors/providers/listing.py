"""Which models an OpenAI-compatible endpoint says that it offers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from arena.competitors.providers.base import EndpointAddress, ErrorCode, ProviderError
from arena.competitors.providers.openai_compatible import (
    CONNECTING,
    authorization,
    code_of_status,
    described,
    is_loopback,
    shared_client,
    url_below,
    without_key,
)

SECONDS = 10.0
"""For all of it: somebody waits for the page."""
MOST_BYTES = 8_000_000
"""OpenRouter's list, with a description of each of its hundreds of models, has less than two million."""
MOST_MODELS = 2_000
ID_CHARS = 200
"""What a competitor's model id may have."""


async def offered_models(address: EndpointAddress, *, seconds: float = SECONDS) -> list[str]:
    """The ids that `GET {base_url}/models` names, in the order of the alphabet.

    Raises ProviderError with the code for what went wrong; its detail never holds the key.
    """
    try:
        async with asyncio.timeout(seconds):
            return _ids(await _listed(address))
    except TimeoutError:
        raise ProviderError(ErrorCode.TIMEOUT_TOTAL, f"There was no list after {seconds:g} s.") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        raise ProviderError(ErrorCode.CONNECT, without_key(described(error), address)) from None


async def _listed(address: EndpointAddress) -> bytes:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", **authorization(address)}
    try:
        url = url_below(address, "models")
    except ValueError as error:
        raise ProviderError(ErrorCode.CONNECT, str(error)) from None
    with shared_client(loopback=is_loopback(url.host)) as client:
        async with client.stream("GET", url, headers=headers, timeout=CONNECTING) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ProviderError(ErrorCode.MALFORMED, f"The list has more than {MOST_BYTES} bytes.")
    if response.status_code != 200:
        said = without_key(f"HTTP {response.status_code}: {body[:4096].decode('utf-8', 'replace')}", address)
        raise ProviderError(code_of_status(response.status_code), said)
    return bytes(body)


def _ids(body: bytes) -> list[str]:
    """Raises ProviderError for anything but a list of models as OpenAI has it."""
    try:
        listed: Any = json.loads(body)["data"]
        named = {row["id"] for row in listed}
    except (ValueError, LookupError, TypeError, RecursionError):
        raise ProviderError(ErrorCode.MALFORMED, 'No list of models: {"data": [{"id": …}]} is expected.') from None
    usable = [name for name in named if isinstance(name, str) and 0 < len(name) <= ID_CHARS and name.isprintable()]
    return sorted(usable)[:MOST_MODELS]
