from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.competitors.catalogue import NameTaken, add_competitor
from arena.competitors.endpoints import UnknownEndpoint, endpoint_named
from arena.teams.arenas import UnknownArena, arena_named
from arena.teams.management.refusals import refusing
from arena.teams.models import Arena


class Command(BaseCommand):
    help = (
        "Add a competitor to an arena: one model at one endpoint with one system prompt and fixed settings. "
        "Once it has answered it cannot change; a change makes a new version (in the console)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="its name on the board and in the reveal")
        parser.add_argument("--arena", required=True, metavar="SLUG", help="the arena it enters")
        parser.add_argument("--endpoint", metavar="NAME", help="who answers; leave out for recorded answers only")
        parser.add_argument("--model", required=True, metavar="ID", help="the model's id as the endpoint knows it")
        parser.add_argument("--revision", default="", metavar="R", help="the weights' revision, where known")
        parser.add_argument("--system", default="", metavar="TEXT", help="system prompt")
        parser.add_argument("--temperature", type=float, metavar="X", help="0 to 5 (default: the endpoint's)")
        parser.add_argument("--top-p", type=float, metavar="X", help="0 to 1 (default: the endpoint's)")
        parser.add_argument("--max-tokens", type=int, metavar="N", help="longest answer (default: 1024)")
        parser.add_argument("--stop", action="append", metavar="TEXT", help="stop sequence; may be given again")
        parser.add_argument("--extra-body", type=_object, metavar="JSON", help="more fields of the request")
        parser.add_argument("--context-length", type=int, metavar="N", help="tokens")
        parser.add_argument("--description", default="", metavar="TEXT", help="shown on its page after votes")
        parser.add_argument("--organization", default="", metavar="NAME", help="who made the model")
        parser.add_argument("--license", default="", metavar="NAME", help="its licence")
        parser.add_argument("--price-in", type=float, metavar="X", help="price per million input tokens")
        parser.add_argument("--price-out", type=float, metavar="X", help="price per million output tokens")

    def handle(self, *args: Any, **options: Any) -> None:
        names = (
            "revision", "temperature", "top_p", "max_tokens", "stop", "extra_body", "context_length", "description",
            "organization", "license", "price_in", "price_out",
        )  # fmt: skip
        given = {name: options[name] for name in names if options[name] is not None}
        with refusing(UnknownArena, UnknownEndpoint, NameTaken):
            arena = arena_named(options["arena"])
            endpoint = endpoint_named(options["endpoint"]) if options["endpoint"] else None
            if endpoint is None and arena.kind == Arena.Kind.LIVE:
                raise CommandError(
                    f"{arena.slug} is a live arena: say who answers, with --endpoint NAME.", returncode=2
                )
            competitor = add_competitor(
                options["name"],
                arena=arena,
                endpoint=endpoint,
                model_id=options["model"],
                system_prompt=options["system"],
                **given,
            )
        self.stdout.write(f"Added {competitor.label} to the arena {arena.slug}.")


def _object(raw: str) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f'{raw!r} is no JSON object. Write {{"seed": 1}}.')
    return value
