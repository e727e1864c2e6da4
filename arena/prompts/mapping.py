"""Columns get meanings: guessed from their names, chosen by people, then every row is put into the one shape we store.

Two kinds of table: prompts, one a row; and answers, either long (one a row) or wide (a row a prompt, a column a model).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from arena.prompts.models import Upload
from arena.prompts.rows import ImportRefused, Problem, Row, Table

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

OUT, MODEL_COLUMN, MORE = "", "answers", "next_message"
"""Meanings that several columns may have: left out; one model's answers; a further message of the prompt."""
MANY = (OUT, MODEL_COLUMN, MORE)

_PROMPT_FACTS: dict[str, _StrPromise] = {
    "category": gettext_lazy("Category"),
    "language": gettext_lazy("Language"),
    "tags": gettext_lazy("Tags"),
    "source": gettext_lazy("Source"),
    "created_at": gettext_lazy("Date it was added"),
    "checks": gettext_lazy("Objective checks, as JSON"),
}
MEANINGS: dict[str, dict[str, _StrPromise]] = {
    Upload.Kind.PROMPTS: {
        "prompt": gettext_lazy("Prompt"),
        "id": gettext_lazy("Prompt's id"),
        MORE: gettext_lazy("Next message of the prompt"),
        "turns": gettext_lazy("All messages, as a JSON list"),
        "messages": gettext_lazy("Conversation, as JSON"),
        **_PROMPT_FACTS,
    },
    Upload.Kind.ANSWERS: {
        "prompt": gettext_lazy("Prompt"),
        "prompt_id": gettext_lazy("Prompt's id"),
        MODEL_COLUMN: gettext_lazy("One model's answers"),
        "model": gettext_lazy("Model's name"),
        "response": gettext_lazy("Answer"),
        "turn": gettext_lazy("Turn, from 1"),
        "messages": gettext_lazy("Whole conversation, as JSON"),
        "responses": gettext_lazy("Answers to all messages, as a JSON list"),
        "organization": gettext_lazy("Organisation"),
        "license": gettext_lazy("Licence"),
        "settings": gettext_lazy("Conditions of the answer"),
        "revision": gettext_lazy("Model's revision"),
        "conditions_hash": gettext_lazy("Hash of the conditions"),
        "generated_at": gettext_lazy("When it was answered"),
        "first_token_ms": gettext_lazy("Milliseconds to the first token"),
        "total_ms": gettext_lazy("Milliseconds in all"),
        "input_tokens": gettext_lazy("Tokens read"),
        "output_tokens": gettext_lazy("Tokens written"),
        **_PROMPT_FACTS,
    },
}
# The first name that is there wins; names are compared without case, blanks and signs.
ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id", "key", "prompt_id", "prompt_key", "question_id", "qid", "nr", "no", "number"),
    "prompt_id": ("prompt_id", "prompt_key", "question_id", "qid", "nr", "no", "number", "id"),
    "prompt": ("prompt", "question", "text", "input", "instruction", "query", "user_prompt", "frage", "aufgabe"),
    "model": ("model", "model_name", "model_id", "competitor", "assistant", "modell"),
    "response": ("response", "answer", "output", "completion", "reply", "antwort"),
    "turn": ("turn", "turn_index", "round"),
    "turns": ("turns",),
    "messages": ("messages", "conversation", "transcript"),
    "responses": ("responses", "choices"),
    "category": ("category", "category_tag", "topic", "subject", "kategorie", "thema"),
    "language": ("language", "lang", "sprache"),
    "tags": ("tags", "tag"),
    "source": ("source", "origin", "quelle"),
    "created_at": ("created_at", "added", "date_added", "created", "date"),
    "checks": ("checks",),
    "organization": ("organization", "organisation", "provider", "vendor", "maker"),
    "license": ("license", "licence"),
    "settings": ("conditions", "settings", "sampling", "parameters", "params"),
    "revision": ("revision",),
    "conditions_hash": ("conditions_hash",),
    "generated_at": ("generated_at", "timestamp", "tstamp", "answered_at"),
    "first_token_ms": ("first_token_ms", "ttft_ms"),
    "total_ms": ("total_ms", "latency_ms", "latency", "duration_ms"),
    "input_tokens": ("input_tokens", "prompt_tokens"),
    "output_tokens": ("output_tokens", "completion_tokens"),
    MORE: ("follow_up", "second_prompt", "prompt_2", "turn_2", "prompt_3", "turn_3", "prompt_4", "turn_4"),
}
ANSWERED = ("response", "messages", "responses")
"""Meanings of columns that hold answers in a table with a row an answer, or a row a conversation."""
KNOWN_AND_LEFT_OUT = ("reference", "system", "cost", "finish_reason", "answer_id")
"""Columns of known formats that are not kept; a note says so."""


def guess(table: Table, kind: str) -> dict[str, str]:
    """A meaning for every column, by its name; for answers without an answer column, the rest are models."""
    columns = table.columns()
    plain = {column: _plain(column) for column in columns}
    found: dict[str, str] = {}
    for meaning in MEANINGS[kind]:
        for alias in ALIASES.get(meaning, ()):
            for column in (name for name in columns if plain[name] == alias and name not in found):
                found[column] = meaning
                break
            if meaning in found.values() and meaning not in MANY:
                break
    if kind == Upload.Kind.ANSWERS:
        _guess_answers(table, found, plain)
    return {column: found.get(column, OUT) for column in columns}


def _guess_answers(table: Table, found: dict[str, str], plain: Mapping[str, str]) -> None:
    is_wide = not {*ANSWERED} & set(found.values())
    if is_wide:
        # One column named "model" or "turn" beside model columns would be a model of that name.
        rest = [name for name in plain if name not in found and plain[name] not in KNOWN_AND_LEFT_OUT]
        found.update(dict.fromkeys(rest, MODEL_COLUMN))
        return
    # In a long table `id` may number the answers: it names prompts only where it comes again.
    numbered = next((name for name, meaning in found.items() if meaning == "prompt_id" and plain[name] == "id"), None)
    if numbered is not None:
        values = [str(row.values.get(numbered)) for row in table.rows]
        if len(set(values)) == len(values) > 1 and "prompt" in found.values():
            del found[numbered]


def strictly(table: Table, kind: str) -> dict[str, str]:
    """As `guess`, for callers who see no preview: a column that means nothing is refused, not left out."""
    mapping = guess(table, kind)
    unknown = [name for name, to in mapping.items() if to == OUT and _plain(name) not in KNOWN_AND_LEFT_OUT]
    if unknown:
        known = ", ".join(name for name in MEANINGS[kind] if name not in (MODEL_COLUMN, MORE))
        for name in sorted(unknown):
            says = _("is no known column. Use %(known)s, or remove it.")
            table.refuse(0, name, None, says % {"known": known})
    if kind == Upload.Kind.PROMPTS:
        for row in table.rows:
            if row.values.get("system"):
                says = _("a prompt's own system message is not kept. Set the system prompt on the competitors.")
                table.refuse(row, "system", row.values["system"], says)
    return mapping


def kind_of(table: Table) -> str:
    """Whether a table looks like answers or like prompts alone."""
    found = set(guess(table, Upload.Kind.ANSWERS).values())
    return Upload.Kind.ANSWERS if "model" in found and {"response", "responses"} & found else Upload.Kind.PROMPTS


def named(words: Sequence[str]) -> dict[str, str]:
    """Meanings by column out of `NAME=MEANING`; a name may hold the sign itself. Raises ImportRefused."""
    problems, found = list[Problem](), dict[str, str]()
    for word in words:
        name, sign, meaning = word.rpartition("=")
        if not sign or not name:
            problems.append(Problem("--columns", 0, "", word, _("is no NAME=MEANING, as in Question=prompt.")))
        elif name in found:
            problems.append(Problem("--columns", 0, "", word, _("names a column for the second time. Choose one.")))
        found[name] = meaning
    if problems:
        raise ImportRefused(problems)
    return found


def mapped(table: Table, mapping: Mapping[str, str], kind: str) -> Table:
    """The table in the shape that is stored, with its problems so far; names in later problems are the file's."""
    shaped = Table(table.file, problems=list(table.problems), notes=list(table.notes))
    columns = table.columns()
    if not table.rows:
        return shaped
    _check(shaped, columns, mapping, kind)
    if len(shaped.problems) > len(table.problems):
        return shaped
    passed = [name for name in columns if mapping.get(name, OUT) == OUT]
    if passed:
        shaped.notes.append(_("Not kept: the columns %(names)s.") % {"names": ", ".join(passed)})
    models = [name for name in columns if mapping.get(name) == MODEL_COLUMN]
    empty = 0
    for row in table.rows:
        common = _renamed(row, mapping)
        if not models:
            shaped.rows.append(common)
            continue
        answers = list(_by_model(row, common, models))
        empty += len(models) - len(answers)
        shaped.rows += answers
    if empty:
        shaped.notes.append(
            _("Empty cells passed over: %(count)d. Those models gave no answer there.") % {"count": empty}
        )
    return shaped


def _renamed(row: Row, mapping: Mapping[str, str]) -> Row:
    values = {mapping[name]: value for name, value in row.values.items() if mapping.get(name, OUT) not in MANY}
    names = {to: name for name, to in mapping.items() if to not in MANY}
    more = [row.values.get(name) for name, to in mapping.items() if to == MORE]
    if any(more):
        values["turns"] = [values.get("prompt"), *(text for text in more if text)]
        names["turns"] = names.get("prompt", "prompt")
    return Row(row.line, values, row.file, names)


def _by_model(row: Row, common: Row, models: Sequence[str]) -> Iterator[Row]:
    for name in models:
        cell = row.values.get(name)
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        values = {**common.values, "model": name, "response": cell}
        yield Row(row.line, values, row.file, {**common.names, "model": name, "response": name})


def _check(table: Table, columns: Sequence[str], mapping: Mapping[str, str], kind: str) -> None:
    """Refuses a mapping that names what is not there, says one thing twice, or leaves out what must be."""
    for name in mapping:
        if name not in columns:
            table.refuse(0, name, None, _("is no column here. The columns are %(all)s.") % {"all": ", ".join(columns)})
        elif mapping[name] not in (OUT, *MEANINGS[kind]):
            says = _("is no meaning of a column. Use %(known)s.")
            table.refuse(0, name, mapping[name], says % {"known": ", ".join(MEANINGS[kind])})
    used = Counter(mapping[name] for name in columns if name in mapping)
    for meaning, count in used.items():
        if count > 1 and meaning not in MANY:
            which = ", ".join(name for name in columns if mapping.get(name) == meaning)
            says = _("is said of several columns: %(which)s. Choose one of them.")
            table.refuse(1, str(MEANINGS[kind].get(meaning, meaning)), None, says % {"which": which})
    for needed, says in _missing(set(used), kind):
        table.refuse(1, needed, None, says % {"all": ", ".join(columns)})


def _missing(used: set[str], kind: str) -> Iterator[tuple[str, str]]:
    if kind == Upload.Kind.PROMPTS:
        if not used & {"prompt", "turns", "messages"}:
            yield "prompt", _("is missing. The columns are %(all)s.")
        return
    if not used & {"prompt", "prompt_id", "messages"}:
        yield "prompt", _("is missing: which column holds the prompts? The columns are %(all)s.")
    if MODEL_COLUMN in used:
        for name in sorted(used & {"model", *ANSWERED}):
            yield (
                name,
                _("stands beside columns of one model each. Use one form: a column a model, or a row an answer."),
            )
        return
    if not used & {*ANSWERED}:
        yield (
            "response",
            _("is missing. Write a column a model, or a row an answer with model and response; here is %(all)s."),
        )
    if "model" not in used:
        yield "model", _("is missing: which column names the model? The columns are %(all)s.")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")
