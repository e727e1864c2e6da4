"""Walks the audit chains and says what does not fit, with its position."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from arena.integrity.auditing import Audit, audit
from arena.integrity.heads import BadHead, Head, heads_in
from arena.teams.models import Arena

SHOWN = 20


class Command(BaseCommand):
    help = "Compares votes, exclusions, competitors and settings with the audit chain; with --head also the chain."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="*", help="arenas by their short names; all of them by default")
        parser.add_argument(
            "--head", type=Path, help="a file of lines that audit_head printed and that was kept elsewhere"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        arenas = {arena.slug: arena for arena in Arena.objects.order_by("pk")}
        heads = self._heads(options["head"])
        for slug in [*options["slug"], *(head.arena for head in heads)]:
            if slug not in arenas:
                raise CommandError(
                    f"There is no arena {slug!r}; there are: {', '.join(arenas) or 'none'}.", returncode=2
                )
        done = [audit(arenas[slug], heads) for slug in options["slug"] or arenas]
        for result in done:
            self._tell(result)
        wrong = sum(len(result.findings) for result in done)
        if wrong:
            raise CommandError(f"{wrong} finding(s): the rows are not those that were sealed.", returncode=1)

    def _heads(self, path: Path | None) -> list[Head]:
        if path is None:
            return []
        try:
            return heads_in(path.read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError, BadHead) as error:
            raise CommandError(f"{path}: {error}", returncode=2) from error

    def _tell(self, result: Audit) -> None:
        slug = result.arena.slug
        for finding in result.findings[:SHOWN]:
            at = f", position {finding.position}" if finding.position else ""
            self.stdout.write(f"{slug}{at}: {finding.sentence}")
        if len(result.findings) > SHOWN:
            self.stdout.write(f"{slug}: and {len(result.findings) - SHOWN} more.")
        for change in result.changes:
            self.stdout.write(f"{slug}: sealed change: {change}")
        for rows in result.unattested:
            self.stdout.write(f"{slug}: unattested: {rows}.")
        erased = f", the words of {result.erased} votes erased" if result.erased else ""
        verdict = "does not match" if result.findings else "matches"
        self.stdout.write(f"{slug}: {result.links} links; the chain {verdict}{erased}.")
