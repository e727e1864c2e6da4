"""Signing in at the organization in a browser, which holds the way there and back to the pages' policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bench.product import Product
from tests.journeys.steps import axe_findings, page_of
from tests.provider import Organization, running

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def acme() -> Iterator[Organization]:
    with running() as organization:
        organization.knows("ines", email="ines@example.org", email_verified=True)
        yield organization


@pytest.fixture(scope="module")
def product(acme: Organization, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("instance"))
    product.env |= {
        "OIDC_ISSUER": acme.url, "OIDC_CLIENT_ID": "blindfold", "OIDC_CLIENT_SECRET": "s", "OIDC_NAME": "Acme",
        "ARENA_SIGN_UP": "open",
    }  # fmt: skip
    product.prepare()
    product.manage("add_arena", "bench", "--title", "Bench", "--kind", "recorded")  # by which it is seen to be up
    product.start()
    yield product
    product.stop()


def go_there(page: Any, product: Product, acme: Organization) -> None:
    page.route(re.compile(r"https://"), lambda route: route.abort())  # the provider's page wants a style from elsewhere
    page.goto(f"http://127.0.0.1:{product.port}/accounts/login/?next=/accounts/")
    page.get_by_role("button", name="Sign in with Acme", exact=True).click()
    page.wait_for_url(re.compile(re.escape(acme.url)))


@pytest.mark.parametrize("scripts", [True, False])
def test_somebody_goes_there_signs_in_and_is_back(
    browser: Any, product: Product, acme: Organization, scripts: bool
) -> None:
    page = page_of(browser, scripts=scripts)
    go_there(page, product, acme)
    page.get_by_placeholder("sub").fill("ines")
    page.get_by_role("button", name="Authorize", exact=True).click()
    page.wait_for_url(f"http://127.0.0.1:{product.port}/accounts/")
    assert page.get_by_text("ines@example.org").is_visible()
    page.context.close()


def test_whoever_denies_it_there_is_back_at_the_door(browser: Any, product: Product, acme: Organization) -> None:
    page = page_of(browser)
    go_there(page, product, acme)
    page.get_by_role("button", name="Deny", exact=True).click()
    page.get_by_role("heading", name="You are not signed in", exact=True).wait_for()
    assert axe_findings(page) == []
    page.get_by_role("main").get_by_role("link", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Sign in with Acme", exact=True).wait_for()
    assert axe_findings(page) == []
    page.context.close()
