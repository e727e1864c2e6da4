"""Text of unknown origin to HTML that is safe to show: markdown, code, maths, tables; nothing loaded, nothing styled.

Every competitor passes through this one renderer. Maths becomes native MathML; images are dropped, since a remote
one would track the voter and could name its author; links lose their power to open without a click.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

import nh3
from latex2mathml.converter import convert as latex_to_mathml
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

MAX_RENDERED_CHARS = 40_000
MAX_NESTING = 60
"""Levels of lists and quotations; a list in a list is two."""
MAX_HIGHLIGHTED_CHARS = 20_000
_MATH_TAGS = frozenset(
    ("math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup")
    + ("munder", "mover", "munderover", "mtable", "mtr", "mtd", "mpadded", "mphantom", "mstyle", "mfenced", "menclose")
)
_TAGS = _MATH_TAGS | frozenset(
    ("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong")
    + ("del", "s", "a", "table", "thead", "tbody", "th", "tr", "td", "div", "span", "sup", "sub")
)
_ATTRIBUTES: dict[str, set[str]] = {
    "a": {"href", "title"},
    "ol": {"start"},
    "th": {"class", "scope"},
    "td": {"class"},
    "span": {"class"},
    "div": {"class", "tabindex", "role", "aria-label"},
    "pre": {"class", "tabindex", "role", "aria-label"},
    "math": {"display"},
    "mspace": {"width"},
    "mo": {"stretchy", "fence"},
    "mtd": {"columnalign"},
}
_CLASSES = re.compile(r"^(?:[a-z][a-z0-9]{0,2}|code|scroll|r)$")


def to_html(text: str, *, label: str) -> str:
    """Safe HTML for an answer; `label` names the answer for the scrolling regions inside it ("answer A")."""
    return _render(text[:MAX_RENDERED_CHARS], label)


@lru_cache(maxsize=512)
def _render(text: str, label: str) -> str:
    tokens = _markdown().parse(text)
    if max((token.level for token in tokens), default=0) >= MAX_NESTING - 2:
        return _plain(text)  # the parser drops what lies deeper, and an answer must not lose a word
    html: str = _markdown().renderer.render(tokens, _markdown().options, {})
    html = html.replace("<table>", f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(label)}">'
                        "<table>").replace("</table>", "</table></div>")  # fmt: skip
    html = re.sub(r"<pre(?=[ >])", f'<pre tabindex="0" role="group" aria-label="{escape(label)}"', html)
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        attribute_filter=_filter,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def _plain(text: str) -> str:
    paragraphs = re.split(r"\n\s*\n", text.strip("\n"))
    return "".join(f"<p>{escape(paragraph).replace(chr(10), '<br>')}</p>" for paragraph in paragraphs)


def _filter(tag: str, attribute: str, value: str) -> str | None:
    """Only our own class names, so that an answer cannot dress up as a part of the page."""
    if attribute == "class":
        return " ".join(word for word in value.split() if _CLASSES.match(word)) or None
    return value


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark", {"html": False, "linkify": False, "highlight": _highlight, "maxNesting": MAX_NESTING}
    )
    parser.enable(["table", "strikethrough"]).disable("image")
    parser.use(dollarmath_plugin, allow_labels=False, allow_space=False, double_inline=True, renderer=_math)
    parser.add_render_rule("heading_open", _heading("<h{}>"))
    parser.add_render_rule("heading_close", _heading("</h{}>\n"))
    parser.add_render_rule("th_open", _cell("th"))
    parser.add_render_rule("td_open", _cell("td"))
    return parser


def _heading(form: str):  # type: ignore[no-untyped-def]  # markdown-it's render rules are untyped
    """An answer's headings stand below the pane's own, which is an h2."""

    def rule(self, tokens, index, options, env):  # type: ignore[no-untyped-def]
        return form.format(min(6, int(tokens[index].tag[1]) + 2))

    return rule


def _cell(tag: str):  # type: ignore[no-untyped-def]  # markdown-it's render rules are untyped
    def rule(self, tokens, index, options, env):  # type: ignore[no-untyped-def]
        right = "right" in str(tokens[index].attrs.get("style", ""))
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}" + (' class="r">' if right else ">")

    return rule


def _math(content: str, options: dict[str, bool]) -> str:
    try:
        display = "block" if options["display_mode"] else "inline"
        return latex_to_mathml(content, display=display) if len(content) <= 2000 else escape(content)
    except Exception:  # the converter raises many kinds on malformed input: show the source instead
        return f"<code>{escape(content)}</code>"


def _highlight(code: str, language: str, _attributes: str) -> str:
    if not language or len(code) > MAX_HIGHLIGHTED_CHARS:
        return ""
    try:
        lexer = get_lexer_by_name(language.split()[0])
    except ClassNotFound:
        return ""
    inner = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return f'<pre><code class="code">{inner}</code></pre>'
