"""Answers as safe HTML that loses no word."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battles.rendering import to_html


def words(html: str) -> list[str]:
    return re.findall(r"\w+", unescape(re.sub(r"<[^>]+>", " ", html)))


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("plain", "<p>plain</p>"),
        ("**b** *i* ~~s~~ `c`", "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>"),
        ("# One\n\n## Two", "<h3>One</h3>\n<h4>Two</h4>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("<b>x</b> <script>y</script>", "<p>&lt;b&gt;x&lt;/b&gt; &lt;script&gt;y&lt;/script&gt;</p>"),
        ("![alt](http://example.org/x.png)", None),
    ],
)
def test_markdown_becomes_calm_html(markdown: str, html: str | None) -> None:
    shown = to_html(markdown, label="Part of answer A").strip()
    assert "<img" not in shown
    assert html is None or shown == html


def test_tables_and_code_scroll_and_are_named_without_becoming_landmarks() -> None:
    shown = to_html("| a | b |\n|---|--:|\n| 1 | 2 |\n\n```python\nx = 1\n```", label="Part of answer A")
    assert shown.count('tabindex="0"') == shown.count('aria-label="Part of answer A"') == 2
    assert shown.count('role="group"') == 2 and 'role="region"' not in shown
    assert '<th scope="col" class="r">' in shown and '<span class="n">x</span>' in shown


def test_maths_is_mathml_and_bad_maths_its_source() -> None:
    assert "<math" in to_html("$x^2$", label="A") and 'display="block"' in to_html("$$x^2$$", label="A")
    assert "frac" in to_html(r"$\frac{$", label="A")


@pytest.mark.parametrize("depth", [1, 9, 12, 28, 40, 400])
@pytest.mark.parametrize("marker", ["> ", "- ", "1. ", "> - "])
def test_no_depth_of_nesting_loses_a_word(depth: int, marker: str) -> None:
    items = range(min(depth, 120))
    nested = marker * depth + "deep\n\nafter\n\n" + "".join("  " * n + f"- item{n}\n" for n in items) + "\nlast"
    shown = to_html(nested, label="A")
    assert {"deep", "after", "last", *(f"item{n}" for n in items)} <= set(words(shown))
    if depth <= 12:
        assert "<li>" in shown


@given(
    st.lists(
        st.sampled_from(["> ", "- ", "  ", "1. ", "# ", "\n", "\n\n", "```\n", "word ", "**", "`", "|", "$"]),
        max_size=60,
    )
)
def test_no_mixture_of_marks_loses_a_word(parts: list[str]) -> None:
    text = "".join(f"w{n} " if part == "word " else part for n, part in enumerate(parts))
    wanted = set(re.findall(r"\bw\d+\b", text))
    shown = to_html(text, label="A")
    assert wanted <= set(re.findall(r"w\d+", unescape(re.sub(r"<[^>]+>", "", shown))))


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "JaVaScRiPt:x"])
def test_only_ordinary_links_lead_somewhere(link: str) -> None:
    assert "<a " not in to_html(f"[click]({link})", label="A")
    good = to_html("[click](https://example.org/)", label="A")
    assert 'rel="noopener noreferrer nofollow"' in good
