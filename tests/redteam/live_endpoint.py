"""An OpenAI-compatible endpoint whose models have habits: what an attacker reads, and speeds, which nobody may see.

python tests/redteam/live_endpoint.py PORT
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from functools import partial

from tests.bench.fake_endpoint import HEAD, chunk, delta, serve

HABIT = "In short, "
"""How the target begins an answer in 95 of 100 cases, and the others in 5."""
WORDS = (
    "the",
    "river",
    "bends",
    "where",
    "old",
    "stones",
    "lie",
    "and",
    "people",
    "cross",
    "it",
    "slowly",
    "every",
    "morning",
    "before",
    "light",
    "returns",
)


def says(model: str, prompt: str, rng: random.Random) -> str:
    """A model's answer; asked who it is, a model tells."""
    if "which model" in prompt.lower():
        return f"I am {model}."
    known = rng.random() < (0.95 if model == "target" else 0.05)
    return (HABIT if known else "") + " ".join(rng.choice(WORDS) for _ in range(rng.randint(8, 14)))


async def answer(body: str, writer: asyncio.StreamWriter) -> None:
    """Word by word, each model at a speed of its own."""
    said = json.loads(body)
    model = said["model"]
    rate = 40 + 30 * random.Random(model).random()
    writer.write(HEAD)
    for word in says(model, said["messages"][-1]["content"], random.Random()).split(" "):
        writer.write(chunk(delta(word + " ")))
        await writer.drain()
        await asyncio.sleep(1 / rate)
    writer.write(chunk(delta("", "stop")) + chunk("[DONE]") + b"0\r\n\r\n")
    await writer.drain()


async def main(port: int) -> None:
    server = await asyncio.start_server(partial(serve, answering=answer), "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
