"""Does an answer say who wrote it, or a prompt ask for it? Decided from the text alone, in English, German and French.

An answer names itself when a speaker's own words ("I am", "mein Name ist", "en tant que") lead over nothing but filler
("a large language model made by") to a model's or a maker's name. What is said of others, quoted, or spoken by a
character is no self-naming. A hit is a mark to be reversed by an operator, so a doubtful case may be one.
"""

# ruff: noqa: E501 - patterns read better whole
from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from arena.battles.folding import fold, without_digits_for_letters
from arena.battles.selfnames import AMBIGUOUS, MAKERS, STRONG, WEAK, Names
from arena.battles.selfwords import (
    ARTICLES,
    DIALOGUE,
    FILLER,
    GUARD,
    HUMAN,
    LOOSE,
    MACHINE,
    MADE,
    MADE_ME,
    MUST_FOLLOW,
    NAMING,
    NOT_FOLLOWED,
    PEOPLE,
    PREPOSITIONS,
    SUBJECTS,
    SURNAME,
    THING,
)

LONGEST = 40_000
"""Characters of a text that are searched; what is shown is no longer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a text is marked: which rule, what kind of name, and the words themselves."""

    rule: str
    kind: str
    words: str


def names_itself(text: str, own: Names = Names()) -> Finding | None:  # noqa: B008 - frozen
    """The first place where an answer says which model or whose it is; None for an answer that does not."""
    folded = fold(spoken(text[:LONGEST]))
    found = _search(folded, own)
    return found or _search(without_digits_for_letters(folded), own, only_changed=folded)


def _search(text: str, own: Names, *, only_changed: str | None = None) -> Finding | None:
    if text == only_changed:
        return None
    for found in _patterns(own).leading.finditer(text):
        if _counts(text, found):
            return _finding("says_it_is", found)
    for found in _patterns(own).made_me.finditer(text):
        if not _guarded(text, found.start()):
            return _finding("says_who_made_it", found)
    here = _patterns(own).here.search(text)
    return _finding("presents_itself", here) if here and not _guarded(text, here.start()) else None


@dataclass(frozen=True, slots=True)
class _Patterns:
    leading: re.Pattern[str]
    made_me: re.Pattern[str]
    here: re.Pattern[str]


@lru_cache(maxsize=64)
def _patterns(own: Names) -> _Patterns:
    models, makers = (own.models or r"(?!)"), (own.makers or r"(?!)")
    named = (
        rf"(?:(?P<own>{models})|(?P<strong>{STRONG})|(?P<maker>{makers}|{MAKERS})|(?P<ambiguous>{AMBIGUOUS})|(?P<weak>{WEAK}))"
        r"(?!\w|\.\w|-(?!modell|model|famil|bas|assist|ki\b|chat|version)\w)"
    )
    lead = rf"(?<![\w'])(?P<subject>{SUBJECTS}|{LOOSE})(?P<filler>(?:[\s,:']+(?:{FILLER}|(?:{makers}|{MAKERS})'s?)(?![\w-])){{0,16}})[\s,:'\"(\[-]+{named}"
    any_name = rf"(?:{models}|{STRONG}|{AMBIGUOUS})"
    any_maker = rf"(?:{makers}|{MAKERS})"
    greeting = r"(?:(?:hi|hello|hey|hallo|bonjour|salut)[,!.]?\s+)?"
    return _Patterns(
        re.compile(lead, re.I),
        re.compile(MADE_ME.replace("MAKER", any_maker), re.I),
        re.compile(
            rf"(?:^|[.!?\n]\s*){greeting}(?P<named>{any_name}) (?:here|hier|a l'appareil)\b"
            rf"(?! (?:is|are|was|refers|means|has|had|does|can|we|the))|\b(?P<named_last>{any_name})(?: mein name| is my name|,? at your service)",
            re.I,
        ),
    )


def _counts(text: str, found: re.Match[str]) -> bool:
    """Whether the words after a speaker's own lead to a name as to a name of the speaker's."""
    subject, filler, tail = found["subject"].lower(), found["filler"].lower(), text[found.end() : found.end() + 90]
    if _guarded(text, found.start()) or NOT_FOLLOWED.match(tail):
        return False
    if re.fullmatch(LOOSE, subject, re.I) and not MUST_FOLLOW[_kind_of_loose(subject)].search(tail[:80]):
        return False
    if found["maker"]:
        return _is_made_by(subject, f"{text[max(0, found.start() - 14) : found.start()]} {filler}", tail)
    words = re.findall(r"[\w-]+", filler)
    last = words[-1] if words else ""
    if last in PREPOSITIONS and not (THING.search(filler) or MADE.search(f"{subject} {filler}")):
        return False
    if last in ARTICLES and not THING.match(tail.lstrip(" -\"')")) and not (found["strong"] and _ends(tail)):
        return False
    return found["strong"] is not None or _is_meant(found, subject, tail)


def _is_meant(found: re.Match[str], subject: str, tail: str) -> bool:
    """Whether an ordinary word is a model's name here: by what else is said, a machine or a person speaks."""
    speaks_as_machine = MACHINE.search(found.string) is not None
    if SURNAME.match(tail) or (HUMAN.search(found.string) and not speaks_as_machine):
        return False
    if found["weak"]:
        return speaks_as_machine
    if found["own"]:
        single = re.fullmatch(r"[A-Za-z]+", found["own"]) is not None
        return not single or speaks_as_machine or found["own"][0].isupper() or bool(NAMING.search(subject))
    return True


def _is_made_by(subject: str, filler: str, tail: str) -> bool:
    """Whether a maker's name says whose the speaker is: "a model by M", "an M assistant", "made by M"."""
    if re.search(
        r"^my (?!name)|^mein (?!name)|^meine|^mon (?!nom)|^mes|^hinter|^the (?:company|team|people|lab|org)", subject
    ):
        return True
    if MADE.search(filler) or MADE.search(subject):
        return True
    if PEOPLE.search(filler):
        return False
    close = re.match(r"(?:'s|s)?(?:[\s,-]+[\w-]+){0,3}", tail)
    after = close[0] if close else ""
    if filler.split()[-1:] and re.findall(r"[\w-]+", filler)[-1:][0] in PREPOSITIONS:
        owned = after if after.startswith("'") else ""
        return any((THING.search(filler), MADE.search(after), THING.search(owned)))
    named_thing = re.search(rf"(?:{THING.pattern})$", filler, re.I) is not None
    return named_thing or (THING.search(after) is not None and not PEOPLE.search(after))


def _ends(tail: str) -> bool:
    return re.match(r"\s*(?:[.,;!?)\n]|$|-based|based)", tail) is not None


def _kind_of_loose(subject: str) -> str:
    return next(kind for kind in MUST_FOLLOW if subject.startswith(kind))


def _guarded(text: str, start: int) -> bool:
    """Whether the words stand in a condition, in somebody else's mouth, or in a line of a play."""
    line = text.rfind("\n", 0, start) + 1
    return GUARD.search(text[max(0, start - 60) : start]) is not None or DIALOGUE.match(text[line:start]) is not None


def spoken(text: str) -> str:
    """The text without code, block quotations and quoted sentences, unless nothing else is there."""
    bare = re.sub(r"```.*?(?:```|\Z)", " ", text, flags=re.S)
    bare = re.sub(r"(?m)^\s*>.*$", " ", bare)
    for opening, closing in ('""', "“”", "„“", "„”", "«»", "‹›", "»«"):
        inside = f"{opening}[^{opening}{closing}\n]*?{closing}"
        bare = re.sub(inside, lambda m: " " if len(m[0].split()) > 2 else m[0][1:-1], bare)
    kept = bare if len(re.findall(r"[^\W\d_]+", bare)) > 1 else text
    return re.sub(r"[*_`#~\"“”„«»]+", "", kept)


def _finding(rule: str, found: re.Match[str]) -> Finding:
    groups = found.groupdict()
    kind = next((name for name in ("own", "strong", "ambiguous", "weak", "maker") if groups.get(name)), "maker")
    if rule == "presents_itself":
        kind = "model"
    return Finding(
        rule, {"strong": "model", "ambiguous": "model", "weak": "model"}.get(kind, kind), found[0].strip()[:120]
    )
