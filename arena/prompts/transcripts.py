"""Conversations as JSON (`[{role, content}]`, in the manner of chat completions) to user messages and answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _


class BadTranscript(Exception):
    """A conversation cannot be read; says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """The user's messages, the answer to each, and the system message they were made under."""

    system: str
    messages: list[str]
    answers: list[str]


def read_list(value: Any) -> list[Any]:
    """A JSON list, also as the text of a cell. Raises BadTranscript."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, list):
        raise BadTranscript(_("is no JSON list."))
    return value


def read_answers(value: Any) -> list[Any]:
    """Answers in the order of their messages: a list of texts, or MT-bench's `choices`, `[{index, turns}]`.

    Raises BadTranscript.
    """
    found = read_list(value)
    if any(isinstance(entry, dict) for entry in found):
        if len(found) > 1:
            raise BadTranscript(_("holds several answers of one model to one prompt. Leave one."))
        found = read_list(found[0].get("turns"))
    if not found:
        raise BadTranscript(_("holds no answer. Fill it in, or leave the row out."))
    return found


def read_transcript(value: Any) -> Transcript:
    """Answers of several parts, tool calls and what tools returned are joined to one text a turn.

    Raises BadTranscript.
    """
    system = ""
    messages: list[str] = []
    answers: list[str] = []
    for entry in read_list(value):
        role, text = _said(entry)
        if role in ("system", "developer"):
            if messages or system:
                raise BadTranscript(_("has a system message after the first. Leave one, in the first place."))
            system = text
        elif role == "user":
            if len(answers) < len(messages):
                raise BadTranscript(_("has two user messages in a row. Join them, or add the answer between them."))
            messages.append(text)
        elif role in ("assistant", "tool"):
            if not messages:
                raise BadTranscript(_("begins with an answer. The first message is the user's."))
            if len(answers) < len(messages):
                answers.append(text)
            else:
                answers[-1] = f"{answers[-1]}\n\n{text}".strip()
        else:
            says = _("has a message of the role %(role)s. Use system, user, assistant or tool.")
            raise BadTranscript(says % {"role": ascii(role)})
    if not messages:
        raise BadTranscript(_("has no user message."))
    return Transcript(system, messages, answers)


def _said(entry: Any) -> tuple[Any, str]:
    if not isinstance(entry, dict):
        raise BadTranscript(_('is no list of messages. Write [{"role": "user", "content": "…"}].'))
    role = entry.get("role")
    text = _text(entry.get("content"))
    if role == "tool":
        text = _fenced(text)
    for call in entry.get("tool_calls") or []:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            raise BadTranscript(_("has a tool call without a function."))
        called = f"{function.get('name')}({_arguments(function.get('arguments'))})"
        text = f"{text}\n\n{_fenced(called)}".strip()
    return role, text


def _arguments(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(content: Any) -> str:
    """A content that is text, or a list of parts that are."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    if not all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in parts):
        raise BadTranscript(_("has a message that is not text. Pictures and files cannot be shown."))
    return "\n\n".join(part["text"] for part in parts)


def _fenced(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"
