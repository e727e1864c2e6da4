from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from arena.competitors.catalogue import BadAddress, NameTaken, add_endpoint
from arena.teams.management.refusals import refusing

TIMEOUTS = {
    "first_token_seconds": "to the first token",
    "between_tokens_seconds": "between two tokens",
    "total_seconds": "for the whole answer",
}


class Command(BaseCommand):
    help = (
        "Add an OpenAI-compatible endpoint. Its key stays in the environment: only the variable's name is stored. "
        "Next: add_competitor, or test_endpoint to see one answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="what operators call it; voters never see it")
        parser.add_argument(
            "--base-url",
            required=True,
            metavar="URL",
            help="up to and without /chat/completions, for example http://127.0.0.1:11434/v1; "
            "local-model is the model that comes with Blindfold",
        )
        parser.add_argument(
            "--key-env", default="", metavar="VAR", help="the environment variable that holds the key, if it needs one"
        )
        for name, what in TIMEOUTS.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=float, metavar="S", help=f"how long to wait {what}")

    def handle(self, *args: Any, **options: Any) -> None:
        timeouts = {name: options[name] for name in TIMEOUTS if options[name] is not None}
        with refusing(NameTaken, BadAddress):
            endpoint = add_endpoint(
                options["name"], base_url=options["base_url"], key_env=options["key_env"], **timeouts
            )
        self.stdout.write(f"Added the endpoint {endpoint.name} at {endpoint.base_url}.")
        if endpoint.key_env and not os.environ.get(endpoint.key_env):
            self.stderr.write(f"{endpoint.key_env} is not set here. Set it where the server runs.")
