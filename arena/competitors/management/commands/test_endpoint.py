from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.competitors.endpoints import TRIAL_PROMPT, UnknownEndpoint, endpoint_named, try_endpoint
from arena.teams.management.refusals import refusing


class Command(BaseCommand):
    help = "Ask an endpoint for one streamed answer and say how it went. Nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the endpoint, as add_endpoint named it")
        parser.add_argument("--model", required=True, metavar="ID", help="the model's id as the endpoint knows it")
        parser.add_argument("--prompt", default=TRIAL_PROMPT, metavar="TEXT", help="what to ask")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusing(UnknownEndpoint):
            endpoint = endpoint_named(options["name"])
        result = try_endpoint(endpoint, model_id=options["model"], prompt=options["prompt"])
        if result.failed:
            raise CommandError(f"{endpoint.name} did not answer. {result.error_code}: {result.error_detail}")
        self.stdout.write(result.text)
        self.stdout.write(result.figures())
