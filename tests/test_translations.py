"""Every sentence has a German one, and the compiled catalogue says what its source says. Needs no gettext tools."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation.template import templatize

from arena.leaderboards.sentences import figure, worded

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = ROOT / "locale" / "de" / "LC_MESSAGES"
MARKS = {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
RENEW = "add its German to locale/de/LC_MESSAGES/django.po and compile it: CONTRIBUTING.md says how"

# What stands in templates and is no sentence: names, keys, units, commands.
SAME_EVERYWHERE = {
    "A", "B", "Blindfold", "CSV", "Enter", "JSON", "N", "S", "SVG", "Shift", "UTC", "ms",
    "manage.py verify_snapshot", "manage.py verify_audit", "--head heads.txt",
    "id", "prompt", "model", "response", "category", "p1",
}  # fmt: skip


@dataclass
class Entry:
    """One entry of a catalogue's source."""

    flags: str = ""
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def translations(self) -> list[str]:
        return [text for key, text in self.texts.items() if key.startswith("msgstr")]


def entries(source: str) -> list[Entry]:
    """The entries of a .po file; its header is the one without a msgid."""
    found = []
    for block in source.strip().split("\n\n"):
        entry, key = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#,"):
                entry.flags += line
            elif line.startswith("msg"):
                key, text = line.split(" ", 1)
                entry.texts[key] = ast.literal_eval(text)
            elif line.startswith('"'):
                entry.texts[key] += ast.literal_eval(line)
        found.append(entry)
    return found


def source_entries() -> list[Entry]:
    return entries((CATALOGUE / "django.po").read_text(encoding="utf-8"))


def marked_in_code(source: str) -> Iterator[str]:
    """The sentences that a module gives to gettext, whatever it calls gettext."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in MARKS
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)


def marked_in_template(source: str) -> Iterator[str]:
    """The sentences that a template translates, as Django itself hands them to gettext's tools."""
    for literal in re.findall(r"""(?:gettext|\b_)\(\s*u?('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""", templatize(source)):
        yield ast.literal_eval(literal)


def all_marked() -> dict[str, str]:
    """Every sentence in use, with a place where it is used."""
    found = {}
    for path in sorted((ROOT / "arena").rglob("*.py")):
        found |= dict.fromkeys(marked_in_code(path.read_text(encoding="utf-8")), str(path.relative_to(ROOT)))
    for path in sorted((ROOT / "templates").rglob("*.html")):
        found |= dict.fromkeys(marked_in_template(path.read_text(encoding="utf-8")), str(path.relative_to(ROOT)))
    return found


def test_the_search_finds_every_way_of_marking() -> None:
    code = 'from django.utils.translation import gettext_lazy as tell, ngettext\ntell("One.")\nf(ngettext("a", "b", 2))'
    assert set(marked_in_code(code)) == {"One.", "a"}
    page = (
        "{% load i18n %}{% translate 'One.' %}{% blocktranslate with x=y %}Two {{ x }}.{% endblocktranslate %}"
        '{% include "a.html" with label=_("Three") %}'
        "{% blocktranslate count n=k %}a{% plural %}b{% endblocktranslate %}"
    )
    assert set(marked_in_template(page)) == {"One.", "Two %(x)s.", "Three", "a"}


def test_every_sentence_has_a_german_one() -> None:
    known = {entry.texts["msgid"] for entry in source_entries()}
    missing = {text: place for text, place in all_marked().items() if text not in known}
    assert not missing, f"{RENEW}: {missing}"


def test_no_entry_is_empty_doubtful_or_left_over() -> None:
    used = all_marked()
    for entry in source_entries()[1:]:
        text = entry.texts["msgid"]
        assert "fuzzy" not in entry.flags, text
        assert all(entry.translations), f"{RENEW}: {text}"
        assert text in used, f"Nobody says this any more: {text}"
    assert "#~" not in (CATALOGUE / "django.po").read_text(encoding="utf-8")


def test_translations_keep_every_placeholder() -> None:
    for entry in source_entries()[1:]:
        *singular, last = entry.translations
        expected = set(PLACEHOLDER.findall(entry.texts.get("msgid_plural", entry.texts["msgid"])))
        assert set(PLACEHOLDER.findall(last)) == expected, last
        for text in singular:
            assert set(PLACEHOLDER.findall(text)) <= expected, text


def test_the_compiled_catalogue_says_what_its_source_says() -> None:
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    expected: dict[str | tuple[str, int], str] = {}
    for entry in source_entries():
        if "msgid_plural" in entry.texts:
            expected |= {(entry.texts["msgid"], n): text for n, text in enumerate(entry.translations)}
        else:
            expected[entry.texts["msgid"]] = entry.translations[0]
    assert compiled == expected, "compile it anew: manage.py compilemessages -l de"


def test_templates_hold_no_text_of_their_own() -> None:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"{% blocktranslate.*?{% endblocktranslate %}", "", text, flags=re.S)
        words = re.findall(r'(?:aria-label|alt|title|placeholder)="([^"{]*[^\W\d_][^"]*)"', text)
        text = re.sub(r"{%.*?%}|{{.*?}}", "\0", text, flags=re.S)
        words += re.split(r"<[^>]*>|\0|&\w+;", text)
        found = {word.strip(" ·\n") for word in words if re.search(r"[^\W\d_]", word)} - SAME_EVERYWHERE
        assert not found, f"{path.name} says this in one language only: {found}"


def test_scripts_hold_no_text_of_their_own() -> None:
    for path in (ROOT / "static" / "js").glob("*.js"):
        code = re.sub(r"^\s*(//|/?\*).*$|//.*$", "", path.read_text(encoding="utf-8"), flags=re.M)
        assert re.findall(r"""["'`][A-Z]\w+ \w+[^"'`]*["'`]""", code) == [], path.name


def test_what_the_fit_says_is_known() -> None:
    """Notes of a board reach the page; each of them, with numbers in its gaps, has a German sentence."""
    notes = []
    for name in ("board.py", "uncertainty.py"):
        for node in ast.walk(ast.parse((ROOT / "ratings" / name).read_text(encoding="utf-8"))):
            said = None
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "notes.append":
                said = node.args[0]
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "prior":
                said = node.value
            if isinstance(said, ast.Constant | ast.JoinedStr):
                parts = said.values if isinstance(said, ast.JoinedStr) else [said]
                notes.append("".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts))
    assert len(notes) >= 7
    with translation.override("de"):
        assert [note for note in [*notes, "sandwich", "none"] if worded(note) == note] == []


def test_counts_are_parted_as_the_language_does() -> None:
    said = {}
    for language in ("en", "de"):
        with translation.override(language):
            said[language] = figure(12_345)
    assert said == {"en": "12,345", "de": "12.345"}


@pytest.mark.django_db
def test_the_page_speaks_the_language_of_the_browser() -> None:
    page = Client().get("/", headers={"accept-language": "de-AT,de;q=0.9"}).content.decode()
    assert '<html lang="de">' in page
    assert "Welche Antwort ist besser?" in page
    assert "Which answer is better?" in Client().get("/", headers={"accept-language": "fr"}).content.decode()


@pytest.mark.django_db
def test_the_switch_remembers_the_language_and_goes_nowhere_else() -> None:
    browser = Client(enforce_csrf_checks=True)
    page = browser.get("/?sort=votes").content.decode()
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page[page.index('class="languages"') :]))
    assert form["next"] == "/?sort=votes"
    assert browser.post("/language/", {"language": "de", "next": "/"}).status_code == 403
    back = browser.post("/language/", {**form, "language": "de"})
    assert (back.status_code, back["Location"]) == (302, "/?sort=votes")
    assert '<html lang="de">' in browser.get("/").content.decode()
    away = browser.post("/language/", {**form, "language": "en", "next": "https://elsewhere.example/"})
    assert away["Location"] == "/"
