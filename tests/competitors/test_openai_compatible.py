from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import ExitStack

import pytest

from arena.competitors.providers import (
    Delta,
    EndpointAddress,
    ErrorCode,
    Finish,
    GenerationSettings,
    Message,
    OpenAICompatibleProvider,
    ProviderError,
    ScriptedProvider,
    Timeouts,
    close_shared_clients,
)
from arena.competitors.providers.openai_compatible import GATHER, STREAMS_A_CLIENT, request_body, shared_client
from tests.competitors.scripted_server import DONE, OK, USAGE, Behaviour, answering, endpoint, event, replying

KEY = "sk-very-secret-4711"
ASK = [Message("user", "Hello?")]
PATIENT = Timeouts(5, 5, 5)
SETTINGS = GenerationSettings("model-x", temperature=0.5)


async def ask(
    base_url: str, *, timeouts: Timeouts = PATIENT, key: str = KEY, max_chars: int = 200_000
) -> tuple[str, Finish]:
    provider = OpenAICompatibleProvider(EndpointAddress(base_url, key), timeouts, max_chars=max_chars)
    texts, finish = [], None
    async for item in provider.stream(ASK, SETTINGS):
        if isinstance(item, Delta):
            assert finish is None
            texts.append(item.text)
        else:
            finish = item
    assert finish is not None
    return "".join(texts), finish


async def failure(behave: Behaviour, **options: object) -> ProviderError:
    async with endpoint(behave) as server:
        with pytest.raises(ProviderError) as caught:
            await ask(server.base_url, **options)  # type: ignore[arg-type]
    return caught.value


async def test_a_good_stream_gives_its_text_and_its_counts() -> None:
    first = b'data: {"choices":[{"delta":{"role":"assistant","content":null}}]}\n\n'
    behave = answering(b": hello\n\n", first, event("Hel"), event("lo"), event(finish="stop"), USAGE, DONE)
    async with endpoint(behave) as server:
        assert await ask(server.base_url) == ("Hello", Finish("stop", 7, 2))
        request = server.requests[0]
    body = json.loads(request.split(b"\r\n\r\n", 1)[1])
    assert request.startswith(b"POST /v1/chat/completions HTTP/1.1")
    assert f"Authorization: Bearer {KEY}".encode() in request
    assert body == {
        "model": "model-x",
        "temperature": 0.5,
        "messages": [{"role": "user", "content": "Hello?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_events_may_be_cut_anywhere() -> None:
    whole = event("Grüße, ") + event("日本😀").replace(b"\n\n", b"\r\n\r\n") + event(finish="length") + DONE
    async with endpoint(answering(*(whole[i : i + 1] for i in range(len(whole))))) as server:
        assert await ask(server.base_url) == ("Grüße, 日本😀", Finish("length"))


@pytest.mark.parametrize("ending", [event(finish="stop"), DONE])
async def test_either_a_reason_or_done_ends_an_answer(ending: bytes) -> None:
    async with endpoint(answering(event("Hello"), ending)) as server:
        assert await ask(server.base_url) == ("Hello", Finish("stop"))


async def test_a_connection_that_breaks_after_the_reason_lost_nothing() -> None:
    async with endpoint(answering(event("Hello"), event(finish="stop"), end=b""), requests_a_connection=1) as server:
        assert await ask(server.base_url) == ("Hello", Finish("stop"))


async def test_content_in_parts_and_thoughts_beside_it_are_understood() -> None:
    parts = b'data: {"choices":[{"delta":{"content":[{"type":"text","text":"Hi"}]}}]}\n'
    thought = b'data: {"choices":[{"delta":{"reasoning_content":"Hm."}}]}\n'
    async with endpoint(answering(thought, 0.3, thought, 0.3, parts, DONE)) as server:
        assert (await ask(server.base_url, timeouts=Timeouts(0.5, 0.5, 5)))[0] == "Hi"


async def test_connections_are_used_again() -> None:
    async with endpoint(answering(event("Hello"), event(finish="stop"), DONE)) as server:
        for _ in range(5):
            await ask(server.base_url)
        assert (server.connections, len(server.requests)) == (1, 5)


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced() -> None:
    async def behave(writer: asyncio.StreamWriter, request: bytes) -> None:
        if len(server.requests) == 2:
            writer.close()
        else:
            await answering(event("Hello"), DONE)(writer, request)

    async with endpoint(behave) as server:
        assert [(await ask(server.base_url))[0] for _ in range(2)] == ["Hello", "Hello"]
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("behave", "code"),
    [
        (answering(event("Hel"), end=b"0\r\n\r\n"), ErrorCode.CUT_OFF),
        (answering(b"data: {broken\n\n"), ErrorCode.MALFORMED),
        (answering(b"data: " + b"[" * 100_000 + b"\n\n"), ErrorCode.MALFORMED),
        (answering(b"data: [1]\n\n"), ErrorCode.MALFORMED),
        (answering(b'data: {"id": 1}\n\n'), ErrorCode.MALFORMED),
        (answering(b'data: {"choices": [3]}\n\n'), ErrorCode.MALFORMED),
        (answering(b'data: {"choices": {"0": 1}}\n\n'), ErrorCode.MALFORMED),
        (answering(b'data: {"choices": [{"delta": 3}]}\n\n'), ErrorCode.MALFORMED),
        (answering(b'data: {"choices": [{"delta": {"content": 3}}]}\n\n'), ErrorCode.MALFORMED),
        (answering(b'{"choices": [{"message": {"content": "Hello"}}]}'), ErrorCode.MALFORMED),
        (answering(b"<html>\n<body>\nHello"), ErrorCode.MALFORMED),
        (answering(event("Hel"), b'data: {"error": {"message": "overloaded"}}\n\n'), ErrorCode.STATUS),
        (answering(event("Hel"), b'error: {"message": "overloaded"}\n\n'), ErrorCode.STATUS),
        (replying(b"HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nsorry"), ErrorCode.STATUS),
        (replying(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), ErrorCode.STATUS),
        (replying(b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno"), ErrorCode.REFUSED),
        (replying(b"HTTP/1.1 429 No\r\nContent-Length: 2\r\n\r\nno"), ErrorCode.REFUSED),
        (
            replying(b"HTTP/1.1 400 No\r\nContent-Length: 36\r\n\r\n" + b'{"code": "context_length_exceeded"}  '),
            ErrorCode.TOO_LONG,
        ),
        (replying(b"nonsense\r\n\r\n"), ErrorCode.CONNECT),
    ],
)
async def test_every_failure_has_its_code(behave: Behaviour, code: ErrorCode) -> None:
    assert (await failure(behave)).code is code


async def test_a_dropped_connection_is_cut_off() -> None:
    async with endpoint(answering(event("Hel"), end=b"5\r\nda"), requests_a_connection=1) as server:
        with pytest.raises(ProviderError) as caught:
            await ask(server.base_url)
    assert caught.value.code is ErrorCode.CUT_OFF


async def test_a_closed_port_and_an_impossible_address_are_connection_failures() -> None:
    async with endpoint(answering()) as server:
        closed = server.base_url
    for base_url in (closed, "http://[", "ftp://127.0.0.1/v1", "", "http://127.0.0.1:99999/v1"):
        with pytest.raises(ProviderError) as caught:
            await ask(base_url)
        assert caught.value.code is ErrorCode.CONNECT
    await close_shared_clients()


PINGS = tuple(part for _ in range(40) for part in (b": ping\n\n", 0.05))


@pytest.mark.parametrize(
    ("behave", "timeouts", "code"),
    [
        (answering(3.0), Timeouts(0.2, 5, 5), ErrorCode.TIMEOUT_FIRST),
        (answering(*PINGS), Timeouts(0.2, 5, 5), ErrorCode.TIMEOUT_FIRST),
        (answering(event("Hel"), 3.0), Timeouts(5, 0.2, 5), ErrorCode.TIMEOUT_BETWEEN),
        (answering(event("Hel"), *PINGS), Timeouts(5, 0.2, 5), ErrorCode.TIMEOUT_BETWEEN),
        (answering(*(part for _ in range(40) for part in (event("x"), 0.05))), Timeouts(5, 5, 0.3), "timeout_total"),
    ],
)
async def test_each_time_limit_ends_the_wait(behave: Behaviour, timeouts: Timeouts, code: str) -> None:
    began = time.monotonic()
    assert (await failure(behave, timeouts=timeouts)).code == code
    assert time.monotonic() - began < 1.5


async def test_a_server_that_accepts_and_says_nothing_is_a_first_token_timeout() -> None:
    async def hang(_writer: asyncio.StreamWriter, _request: bytes) -> None:
        await asyncio.sleep(3)

    assert (await failure(hang, timeouts=Timeouts(0.2, 5, 5))).code is ErrorCode.TIMEOUT_FIRST


async def test_a_reader_who_takes_time_is_not_blamed_on_the_endpoint() -> None:
    async with endpoint(answering(event("a"), event("b"), DONE)) as server:
        provider = OpenAICompatibleProvider(EndpointAddress(server.base_url), Timeouts(10, 0.5, 30))
        texts = []
        async for item in provider.stream(ASK, SETTINGS):
            texts.append(item)
            await asyncio.sleep(0.7)
    assert "".join(item.text for item in texts if isinstance(item, Delta)) == "ab"
    assert texts[-1] == Finish("stop")


async def test_the_first_text_comes_at_once_and_later_tokens_by_the_handful() -> None:
    shown = asyncio.Event()

    async def behave(writer: asyncio.StreamWriter, _request: bytes) -> None:
        writer.write(OK + b"\r\n" + event("first "))
        await shown.wait()  # text that were kept waiting for more would wait for ever
        for number in range(30):
            writer.write(event(f"{number} "))
            await asyncio.sleep(0.02)
        writer.write(DONE)
        writer.close()

    async with endpoint(behave) as server:
        provider = OpenAICompatibleProvider(EndpointAddress(server.base_url), PATIENT)
        texts, began = [], time.monotonic()
        async for item in provider.stream(ASK, SETTINGS):
            if isinstance(item, Delta):
                texts.append(item.text)
                shown.set()
        took = time.monotonic() - began
    assert texts[0] == "first "
    assert "".join(texts) == "first " + "".join(f"{number} " for number in range(30))
    # A look gives one piece at its beginning and one at its end; at 50 tokens a second that is half a wake-up a token.
    assert len(texts) <= 2 * took / GATHER + 3


async def test_who_stops_early_closes_the_connection_at_once() -> None:
    async def endless(writer: asyncio.StreamWriter, _request: bytes) -> None:
        writer.write(OK + b"\r\n")
        while True:
            writer.write(event("word "))
            await writer.drain()
            await asyncio.sleep(0.005)

    async with endpoint(endless) as server:
        stream = OpenAICompatibleProvider(EndpointAddress(server.base_url), PATIENT).stream(ASK, SETTINGS)
        assert isinstance(await anext(stream), Delta)
        await stream.aclose()  # type: ignore[attr-defined]
        await asyncio.wait_for(server.lost.wait(), 2)


async def test_a_line_of_a_megabyte_is_one_delta() -> None:
    text = "x" * 1_000_000
    whole = event(text) + DONE
    cut = [whole[i : i + 1400] for i in range(0, len(whole), 1400)]
    async with endpoint(answering(*cut)) as server:
        began = time.process_time()
        assert (await ask(server.base_url, max_chars=1_000_000))[0] == text
        assert time.process_time() - began < 2.0


async def test_endless_lines_and_endless_answers_end() -> None:
    async def endless(writer: asyncio.StreamWriter, _request: bytes) -> None:
        writer.write(OK + b"\r\n" + b"data: ")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async def talkative(writer: asyncio.StreamWriter, _request: bytes) -> None:
        writer.write(OK + b"\r\n")
        while True:
            writer.write(event("word ") * 50)
            await writer.drain()

    for behave in (endless, talkative):
        error = await failure(behave, timeouts=Timeouts(20, 20, 20), max_chars=20_000)
        assert error.code is ErrorCode.MALFORMED


async def test_the_key_is_in_no_error_no_log_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"HTTP/1.1 401 No\r\nContent-Length: {len(KEY) + 10}\r\n\r\nbad key: {KEY} ".encode()
    error = await failure(replying(echo))
    late = await failure(answering(b'data: {"error": "' + KEY.encode() + b'"}\n\n'))
    for odd in ("sk-sécret", "sk-se\ncret"):
        async with endpoint(answering()) as server:
            with pytest.raises(ProviderError) as caught:
                await ask(server.base_url, key=odd)
        assert "cret" not in str(caught.value)
        assert caught.value.code is ErrorCode.REFUSED
    address = EndpointAddress("http://127.0.0.1/v1", KEY)
    said = [str(error), repr(error), error.detail, late.detail, repr(address), repr(OpenAICompatibleProvider(address))]
    assert "[key]" in error.detail
    assert not [text for text in (*said, caplog.text) if KEY in text]


async def test_no_proxy_of_the_environment_is_asked_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with endpoint(answering(event("Hello"), DONE)) as server:
        assert (await ask(server.base_url))[0] == "Hello"
        assert (await ask(server.base_url.replace("127.0.0.1", "localhost")))[0] == "Hello"


async def test_a_reader_who_leaves_closes_the_connection() -> None:
    async with endpoint(answering(event("Hel"), 0.2, *(event("lo") for _ in range(2000)))) as server:
        stream = OpenAICompatibleProvider(EndpointAddress(server.base_url)).stream(ASK, SETTINGS)
        task = asyncio.ensure_future(anext(aiter(stream)))
        assert await task == Delta("Hel")
        await stream.aclose()  # type: ignore[attr-defined]
        await asyncio.wait_for(server.lost.wait(), 5)


async def test_a_cancelled_reader_closes_the_connection() -> None:
    async with endpoint(answering(event("Hel"), 0.3, *(event("lo") for _ in range(2000)))) as server:
        task = asyncio.create_task(ask(server.base_url))
        await asyncio.sleep(0.15)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.lost.wait(), 5)


async def test_many_answers_come_at_once() -> None:
    async with endpoint(answering(*(event("x") for _ in range(20)), DONE)) as server:
        answers = await asyncio.gather(*(ask(server.base_url) for _ in range(100)))
    assert {text for text, _ in answers} == {"x" * 20}


def test_extra_body_has_the_last_word_but_not_over_the_conversation() -> None:
    extra = {"max_tokens": None, "max_completion_tokens": 9, "stream_options": None, "stream": False, "messages": []}
    body = request_body(ASK, GenerationSettings("m", max_tokens=5, stop=("\n",), seed=3, extra_body=extra))
    assert body == {
        "model": "m",
        "stop": ["\n"],
        "seed": 3,
        "max_completion_tokens": 9,
        "stream": True,
        "messages": [{"role": "user", "content": "Hello?"}],
    }


async def test_a_scripted_provider_plays_its_script() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    provider = ScriptedProvider("Hel", 2.5, "lo", ProviderError(ErrorCode.CUT_OFF, "as scripted"), sleep=sleep)
    got = []
    with pytest.raises(ProviderError, match="cut_off"):
        async for item in provider.stream(ASK, SETTINGS):
            got.append(item)
    assert got == [Delta("Hel"), Delta("lo")]
    assert slept == [2.5]
    assert provider.asked == [(tuple(ASK), SETTINGS)]


async def test_many_streams_share_few_clients_and_the_first_with_room_is_used_again() -> None:
    """A pool looks at all its connections for every request: four hundred in one cost a sixth of the process's time."""
    with ExitStack() as first:
        clients = [first.enter_context(shared_client(loopback=True)) for _ in range(STREAMS_A_CLIENT)]
        assert len(set(map(id, clients))) == 1
        with shared_client(loopback=True) as another, shared_client(loopback=False) as outside:
            assert len({id(clients[0]), id(another), id(outside)}) == 3
        assert not another.is_closed
    with shared_client(loopback=True) as again:
        assert again is clients[0]
    await close_shared_clients()
    assert clients[0].is_closed
    assert another.is_closed
