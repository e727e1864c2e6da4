"""Hostile answers in a real browser: nothing is loaded, run, covered or left, and the vote is the voter's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.fake_models import HOSTILE, LAST_WORDS
from tests.journeys.steps import VOTES, ask, battle_of, names, page_of, picture, wait_until_votable

pytestmark = pytest.mark.browser

ALLOWED = {
    *("a", "blockquote", "br", "code", "del", "div", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s"),
    *("span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul", "math", "menclose", "mfenced"),
    *("mfrac", "mi", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow", "ms", "mspace", "msqrt", "mstyle"),
    *("msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover"),
}
"""What an answer may be made of."""
UNSEEN = re.compile("[\u200b\ufeff\u202a-\u202e\u2066-\u2069]")

NO_POLICY = {"refresh", "hints", "markdown_image", "code", "maths", "table", "links"}
"""Attacks that are no HTML by themselves, or of which no policy speaks: refreshing by meta, preconnecting, links."""

# Notes every element that is ever put into an answer, and every attribute that could act, however briefly it stays.
WATCH = """
window.seen = {tags: [], attributes: []};
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) {
    if (!(node instanceof Element)) continue;
    for (const element of [node, ...node.querySelectorAll('*')]) {
      if (!element.parentElement?.closest('[data-answer]')) continue;
      if (!element.matches('.raw, .caret')) window.seen.tags.push(element.localName);
      for (const {name} of element.attributes) {
        if (/^on|^(style|src|srcset|id|name|form|formaction|action|data-.*|ping|target)$/.test(name)) {
          window.seen.attributes.push(`${element.localName} ${name}`);
        }
      }
    }
  }
}).observe(document, {childList: true, subtree: true});
"""

# What is wrong with the vote buttons at this instant: covered at one of five points, or written backwards.
AMISS = """
() => [...document.querySelectorAll('.votes button')].flatMap((button) => {
  const {left, top, width, height} = button.getBoundingClientRect();
  const points = [[.5, .5], [.06, .2], [.94, .2], [.06, .8], [.94, .8]];
  const text = [...button.childNodes].find((node) => node.nodeType === 3 && node.data.trim());
  const at = (index) => {
    const range = document.createRange();
    range.setStart(text, index); range.setEnd(text, index + 1);
    return range.getBoundingClientRect();
  };
  const [first, second] = [at(text.data.search(/\\S/)), at(text.data.search(/\\S/) + 1)];
  return [
    ...points.map(([x, y]) => document.elementFromPoint(left + x * width, top + y * height))
      .filter((element) => element?.closest('button') !== button)
      .map((element) => `${element?.outerHTML.slice(0, 80)} lies over ${text.data}`),
    ...(first.left < second.left || first.top < second.top ? [] : [`${text.data} is written backwards`]),
  ];
})
"""
LOOK = """
() => [document.documentElement.outerHTML.split('>')[0], document.styleSheets.length, document.title,
  ...[document.body, document.querySelector('.votebar .va'), document.querySelector('.top')].flatMap((element) => {
    const style = getComputedStyle(element);
    return [style.backgroundColor, style.color, style.fontFamily, style.display, style.visibility, style.opacity];
  })]
"""


class Watched:
    """A page of which everything is remembered that a hostile answer could cause."""

    def __init__(self, browser: Any, origin: str, *, width: int) -> None:
        self.page = page_of(browser, width=width, dark=width < 720)
        self.page.add_init_script(WATCH)
        self.events: list[str] = []
        self.requests: list[str] = []
        own = (f"{origin}/", origin.replace("http", "ws", 1) + "/")
        page, context = self.page, self.page.context
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("page", lambda _: self.events.append("a window was opened"))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("dialog", lambda dialog: (self.events.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
        page.on("download", lambda download: self.events.append(f"a download: {download.url}"))
        page.on("framenavigated", lambda frame: self.events.append(f"navigated to {frame.url}"))
        page.on("frameattached", lambda frame: self.events.append("a frame was attached"))
        page.on("pageerror", lambda error: self.events.append(f"script error: {error}"))
        self.foreign = lambda: [url for url in self.requests if not url.startswith(own)]

    def check(self, *, address: str) -> None:
        """Nothing left, nothing happened, nothing lies over the vote, nothing juts out."""
        assert self.foreign() == []
        assert self.events == []
        assert len(self.page.frames) == 1
        assert self.page.url == address
        seen = self.page.evaluate("window.seen")
        assert set(seen["tags"]) <= ALLOWED
        assert seen["attributes"] == []
        sideways = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways <= 0, f"the page scrolls sideways by {sideways} px"
        for name in VOTES:
            assert self.page.get_by_role("button", name=name, exact=True).count() == 1
        assert self.page.evaluate(AMISS) == []


@pytest.fixture(scope="module")
def arena(models: Any) -> Iterator[str]:
    yield models.arena("hostile", "--stream-mode", "live")
    assert [hit for hit in models.trap.hits if hit not in ("", "a connection")] == []


@pytest.fixture(scope="module")
def calm(instance: Any, browser: Any, arena: str) -> dict[int, list[Any]]:
    """How a page looks under calm answers, by its width."""
    looks = {}
    for width in (1440, 390):
        page = page_of(browser, width=width, dark=width < 720)
        page.goto(arena)
        ask(page, "What is a calm answer?")
        wait_until_votable(page)
        looks[width] = page.evaluate(LOOK)
        page.context.close()
    return looks


def prose(page: Any, side: str) -> Any:
    return page.get_by_role("region", name=f"Answer {side}", exact=True).locator(".prose")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_is_only_text(
    instance: Any, models: Any, browser: Any, arena: str, calm: dict[int, list[Any]], name: str, width: int
) -> None:
    watched = Watched(browser, instance.url, width=width)
    page = watched.page
    page.goto(arena)
    watched.events.clear()  # the one navigation that we asked for
    rate = 20_000 if name == "long_line" else max(200, len(HOSTILE[name]) // 2)
    ask(page, f"hostile={name} rate={rate} width={width}")
    page.locator("[data-state=answering], [data-state=complete]").wait_for()
    watched.check(address=arena)  # while it is written, too; whatever came and went meanwhile, the watch has seen
    wait_until_votable(page)
    first = battle_of(page)
    for side in "AB":
        pane = prose(page, side)
        if name != "long_line":
            assert LAST_WORDS in pane.inner_text()
        assert not UNSEEN.search(pane.inner_text())
        pane.hover(position={"x": 20, "y": 20})
        for link in pane.get_by_text("click here").all():
            link.click(no_wait_after=True)
        for link in pane.locator("a[href]").all():
            href, rel = link.get_attribute("href"), link.get_attribute("rel")
            assert re.match(r"https?:|mailto:|[/?#]", href), href
            assert {"noopener", "noreferrer"} <= set(rel.split())
    watched.check(address=arena)
    for end in ("0", "document.body.scrollHeight / 2", "document.body.scrollHeight"):
        page.evaluate(f"scrollTo(0, {end})")
        watched.check(address=arena)
    assert page.evaluate(LOOK) == calm[width]
    page.evaluate("scrollTo(0, 0)")
    picture(page, f"hostile-{name}-{width}")
    if width == 1440:
        page.keyboard.press("ArrowRight")
    else:
        page.get_by_role("button", name="B is better", exact=True).click()
    assert len(set(names(page))) == 2
    assert battle_of(page) == first
    assert page.get_by_text("Vote saved: B is better.").count() == 1
    assert watched.foreign() == [] and watched.events == []
    assert models.trap.hits == []
    page.context.close()


def test_an_answer_beyond_the_cap_is_cut_at_it(instance: Any, browser: Any, arena: str) -> None:
    page = page_of(browser)
    page.goto(arena)
    ask(page, "hostile=long_line, to its end")
    wait_until_votable(page)
    for side in "AB":
        assert 31_000 < len(prose(page, side).inner_text()) <= 32_000
    page.context.close()


@pytest.mark.parametrize("name", sorted(name for name in HOSTILE.keys() - NO_POLICY if "<" in HOSTILE[name]))
def test_were_the_renderer_to_let_it_through_the_policy_would_stop_it(
    instance: Any, models: Any, browser: Any, arena: str, name: str
) -> None:
    """The second wall: the answer's raw HTML in the served page, held by the response's own policy alone.

    A browser may open a connection before it reads the policy; what counts is that it asks for nothing over it.
    """
    watched = Watched(browser, instance.url, width=1440)
    page = watched.page

    def let_through(route: Any) -> None:
        served = route.fetch()
        raw = f'<article id="attack">{HOSTILE[name]}</article>'.replace("TRAP", models.trap.address)
        route.fulfill(response=served, body=served.text().replace('<div id="stage"', f'{raw}<div id="stage"'))

    page.route(arena, let_through)
    page.goto(arena)
    assert page.locator("#attack *").count() > 0, "the attack is not on the page"
    page.evaluate("document.querySelector('#attack form button')?.click()")
    for held in page.locator("#attack b").all():
        held.dispatch_event("mouseover")
    page.wait_for_timeout(700)
    asked = [hit for hit in models.trap.hits if hit not in ("", "a connection")]
    models.trap.hits.clear()
    assert asked == []
    assert [event for event in watched.events if "dialog" in event or "window" in event] == []
    assert page.url == arena
    page.context.close()
