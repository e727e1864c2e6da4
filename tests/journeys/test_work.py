"""A browser works for its battles where the instance asks for it, and is served where it cannot."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bench.product import Product
from tests.journeys.steps import page_of

pytestmark = pytest.mark.browser
COUNT = (
    "from arena.battles.models import ServedFrom; "
    "print(list(ServedFrom.objects.order_by('pk').values_list('work', flat=True)))"
)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """An instance that asks for a little work; nobody waits for the answers of its one arena."""
    product = Product(tmp_path_factory.mktemp("instance"))
    product.env["ARENA_PROOF_OF_WORK"] = "10"
    product.prepare()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        product.script("live_arena", base_url=address, stream_mode="paced", voters=1)
        product.start()
        yield product
        product.stop()


def works(product: Product) -> str:
    return product.manage("shell", "-v", "0", "-c", COUNT).strip().splitlines()[-1]


def opened(page: Any) -> None:
    page.get_by_role("textbox").first.fill("Why?")
    page.get_by_role("button", name="Send").click()
    page.locator(".stage:not([data-state=start])").wait_for(timeout=30_000)


def test_a_browser_is_verified_and_one_that_cannot_work_is_served_all_the_same(asking: Product, browser: Any) -> None:
    url = f"http://127.0.0.1:{asking.port}/a/bench/"
    page = page_of(browser)
    page.goto(url)
    opened(page)
    assert page.foreign == []
    assert works(asking).startswith("['verified'")
    hindered = page_of(browser)
    hindered.route("**/challenge/", lambda route: route.abort())
    hindered.goto(url)
    opened(hindered)
    assert works(asking).endswith("'unverified']")
