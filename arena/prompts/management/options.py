"""What both commands that import prompts are told alike."""

from __future__ import annotations

from django.core.management.base import CommandParser

from arena.prompts.mapping import MEANINGS


def add_columns_and_seal(parser: CommandParser, kind: str) -> None:
    """The options `--columns` and `--sealed`."""
    parser.add_argument(
        "--columns",
        nargs="+",
        action="extend",
        metavar="NAME=MEANING",
        help="what the file's columns mean, as on the page of the import; columns that are not named are left out. "
        f"Meanings: {', '.join(MEANINGS[kind])}. Without it columns go by their names, and unknown ones are refused",
    )
    parser.add_argument(
        "--sealed",
        action="store_true",
        help="show the set's texts in battles alone: not in the console, not in public exports; cannot be undone",
    )
