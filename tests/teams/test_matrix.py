"""Every address x every role x every kind of arena. A route that is not in the table fails the first test.

To add a route, add its line: the methods, and who of those inside may. Outsiders need no line: whatever the route,
they get the very same answer as for an arena that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from arena.battles.models import Battle, Response, Turn, Vote
from arena.competitors.models import Competitor, Endpoint
from arena.integrity import deciding
from arena.integrity.models import Exclusion, Proposal, ScreeningRun
from arena.leaderboards import webhooks
from arena.leaderboards.publishing import publish_snapshot
from arena.prompts import uploads
from arena.prompts.decoding import File
from arena.prompts.models import GenerationRun, Prompt, PromptSet, RecordedAnswer
from arena.teams import api_tokens, heartbeat, invitations, members, voters
from arena.teams.models import Arena, Voter

ACCOUNTS = ["colleague", "voter", "expert", "auditor", "operator", "owner", "instance"]
WHO = ["stranger", *ACCOUNTS, "cookie"]
"""`colleague` has an account and is no member; `cookie` is a member without one; `instance` operates everything."""
OUTSIDE = {"open": set[str](), "invite": {"stranger", "colleague"}, "private": {"stranger", "colleague", "cookie"}}

ALL = set(WHO)
SIGNED_IN = set(ACCOUNTS)
CONSOLE = {"auditor", "operator", "owner", "instance"}
CONFIGURE = {"operator", "owner", "instance"}
PEOPLE = {"owner", "instance"}
INSTANCE = {"instance"}
OWN = {"voter"}
"""The battle in question is the voter's."""
NOBODY = set[str]()
VOTES, EXPORTS, LIBRARY = "votes", "exports", "library"
BY_ACCESS = {
    VOTES: {"open": ALL, "invite": ALL - {"auditor"}, "private": ALL - {"auditor"}},
    EXPORTS: {"open": ALL, "invite": CONSOLE, "private": CONSOLE},
}
Rule = set[str] | str

TABLE: dict[str, list[tuple[str, Rule]]] = {
    "home": [("GET", ALL)],
    "healthz": [("GET", ALL)],
    "set_language": [("POST", ALL)],
    "teams:join": [("GET POST", NOBODY)],  # with a made-up token
    "teams:setup": [("GET POST", NOBODY)],
    "teams:people": [("GET", PEOPLE)],
    "teams:invite": [("POST", PEOPLE)],
    "teams:revoke": [("POST", PEOPLE)],
    "teams:change_member": [("POST", PEOPLE)],
    "teams:end_member": [("POST", PEOPLE)],
    "teams:revoke_token_in_arena": [("POST", PEOPLE)],
    "teams:profile": [("GET POST", ALL)],
    "teams:account": [("GET", SIGNED_IN)],
    "teams:tokens": [("GET POST", SIGNED_IN)],
    "teams:revoke_token": [("POST", {"owner"})],  # the owner's own
    "console:index": [("GET", SIGNED_IN)],
    "console:new": [("GET POST", INSTANCE)],
    "console:overview": [("GET", CONSOLE)],
    "console:settings": [("GET", CONSOLE), ("POST", CONFIGURE)],
    "console:state": [("POST", CONFIGURE)],
    "console:competitors": [("GET", CONSOLE)],
    "console:add_competitor": [("GET POST", CONFIGURE)],
    "console:add_local": [("POST", CONFIGURE)],
    "console:competitor": [("GET", CONSOLE), ("POST", CONFIGURE)],
    "console:service": [("POST", CONFIGURE)],
    "console:try_competitor": [("POST", CONFIGURE)],
    "console:endpoints": [("GET", INSTANCE)],
    "console:add_endpoint": [("GET POST", INSTANCE)],
    "console:endpoint": [("GET POST", INSTANCE)],
    "console:try_endpoint": [("POST", INSTANCE)],
    "console:put_back": [("POST", INSTANCE)],
    "console:look_up_models": [("POST", INSTANCE)],
    "console:webhooks": [("GET POST", CONFIGURE)],
    "console:try_webhook": [("POST", CONFIGURE)],
    "console:withdraw_webhook": [("POST", CONFIGURE)],
    "console:votes": [("GET", CONSOLE)],
    "console:review": [("GET", CONSOLE)],
    "console:decide": [("POST", CONFIGURE)],
    "console:freshness": [("GET", CONSOLE)],
    "console:freshness_csv": [("GET", CONSOLE)],
    "console:daily_csv": [("GET", CONSOLE)],
    "console:daily_svg": [("GET", CONSOLE)],
    "console:mine": [("GET", ALL)],
    "console:mine_csv": [("GET", ALL)],
    "console:forget": [("GET POST", ALL)],
    "prompts:sets": [("GET", CONFIGURE)],
    "prompts:import_prompts": [("GET POST", CONFIGURE)],
    "prompts:import_answers": [("GET POST", CONFIGURE)],
    "prompts:columns": [("GET POST", CONFIGURE)],
    "prompts:generation": [("GET POST", CONFIGURE)],
    "prompts:stop_run": [("POST", CONFIGURE)],
    "prompts:set": [("GET POST", CONFIGURE)],
    "prompts:prompt": [("GET POST", CONFIGURE)],
    "battles:vote_page": [("GET", ALL)],
    "battles:challenge": [("GET", NOBODY)],  # no work is asked for, unless the settings say so
    "battles:open": [("POST", VOTES)],
    **{f"battles:{verb}": [("POST", OWN)] for verb in ("follow_up", "vote", "skip", "stop", "redraw", "note")},
    "leaderboards:board": [("GET", ALL)],
    "leaderboards:csv": [("GET", ALL)],
    "leaderboards:json": [("GET", ALL)],
    "leaderboards:csv_json": [("GET", ALL)],
    "leaderboards:bundle": [("GET", EXPORTS)],
    "leaderboards:votes": [("GET", EXPORTS)],
    "leaderboards:pairs": [("GET", ALL)],
    "leaderboards:chart": [("GET", ALL)],
    "leaderboards:compare": [("GET", ALL)],
    "leaderboards:integrity": [("GET", ALL)],
    "leaderboards:integrity_json": [("GET", ALL)],
    "leaderboards:agreement": [("GET", CONSOLE)],
    "leaderboards:history_csv": [("GET", ALL)],
    "leaderboards:history_svg": [("GET", ALL)],
    "leaderboards:competitor": [("GET", ALL)],
    "openid_connect_login": [("GET POST", NOBODY)],  # unless OIDC_ISSUER is set
    "openid_connect_callback": [("GET", NOBODY)],
    "api:schema": [("GET", ALL)],
    "api:endpoints": [("GET POST", INSTANCE)],
    "api:endpoint": [("GET PATCH", INSTANCE)],
    "api:try_endpoint": [("POST", INSTANCE)],
    "api:endpoint_models": [("POST", INSTANCE)],
    "api:endpoint_mended": [("POST", INSTANCE)],
    "api:arenas": [("GET", ALL), ("POST", INSTANCE)],
    "api:arena": [("GET", ALL)],
    "api:settings": [("GET", CONSOLE), ("PATCH", CONFIGURE)],
    "api:state": [("POST", CONFIGURE)],
    "api:members": [("GET", PEOPLE)],
    "api:member": [("PUT DELETE", PEOPLE)],
    "api:invitations": [("GET POST", PEOPLE)],
    "api:invitation": [("DELETE", PEOPLE)],
    "api:runs": [("GET POST", CONFIGURE)],
    "api:run": [("GET", CONFIGURE)],
    "api:stop_run": [("POST", CONFIGURE)],
    "api:webhooks": [("GET POST", CONFIGURE)],
    "api:webhook": [("DELETE", CONFIGURE)],
    "api:try_webhook": [("POST", CONFIGURE)],
    "api:matrix": [("GET", ALL)],
    "api:snapshots": [("GET", ALL)],
    "api:snapshot": [("GET", ALL)],
    "api:mine": [("GET DELETE", ALL)],
    "api:prompts": [("GET", CONFIGURE)],
    "api:prompt": [("GET PATCH", CONFIGURE)],
    "api:agreement": [("GET", CONSOLE)],
    "api:review": [("GET", CONSOLE), ("PUT", CONFIGURE)],
    "api:decide": [("POST", CONFIGURE)],
    "api:clear": [("POST", CONFIGURE)],
    "api:competitors": [("GET", ALL), ("POST", CONFIGURE)],
    "api:service": [("POST", CONFIGURE)],
    "api:competitor": [("GET", CONSOLE), ("PATCH", CONFIGURE)],
    "api:competitor_mended": [("POST", CONFIGURE)],
    "api:try_competitor": [("POST", CONFIGURE)],
    "api:leaderboard": [("GET", ALL)],
    "api:compare": [("GET", ALL)],
    "api:integrity": [("GET", ALL)],
    "api:votes": [("GET", EXPORTS)],
    "api:bundle": [("GET", EXPORTS)],
    "api:prompt_sets": [("GET POST", CONFIGURE)],
    "api:answers": [("POST", CONFIGURE)],
    "api:battles": [("POST", VOTES)],
    "api:battle": [("GET", OWN)],
    "api:stream": [("GET", OWN)],
    "api:reveal": [("GET", OWN)],
    **{f"api:{verb}": [("POST", OWN)] for verb in ("turns", "vote", "note", "skip", "stop", "redraw")},
}
ANYBODYS = {
    "account_login", "account_logout", "account_inactive", "account_signup", "account_reset_password",
    "account_reset_password_done", "account_reset_password_from_key", "account_reset_password_from_key_done",
    "account_confirm_email", "account_email_verification_sent", "socialaccount_login_cancelled",
    "socialaccount_login_error",
}  # fmt: skip
"""Of the account library's own pages, those that are for people who are not signed in. The others are not."""
BODIES: dict[str, dict[str, Any]] = {
    "teams:change_member": {"role": "expert", "cohort": ""},
    "teams:invite": {"role": "voter", "lasts": "7"},
    "set_language": {"language": "de"},
    "prompts:set": {"action": "save", "name": "set"},
    "console:decide": {"what": "mode", "mode": "off"},
    "api:vote": {"winner": "a"},
    "api:review": {"mode": "off"},
    "api:decide": {"decision": "turn_down", "why": "No."},
    "api:clear": {"why": "No."},
    "api:service": {"name": "Ash", "in_service": False},
}
QUERIES = {"leaderboards:compare": "?a=Ash&b=Birch", "api:compare": "?a=Ash&b=Birch"}


def routes(patterns: Any = None, before: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Name and pattern of every address; the admin's stand for themselves."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern).strip("^$")
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
                yield from routes(pattern.url_patterns, route, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield space + pattern.name, route


ROUTES = dict(routes())
OURS = [name for name in ROUTES if not name.startswith(("account_", "mfa_", "socialaccount_"))]
IN_ARENAS = [name for name in OURS if name in TABLE and "slug>" in ROUTES[name]]
ELSEWHERE = [name for name in OURS if name in TABLE and name not in IN_ARENAS]
LIBRARYS = [name for name in ROUTES if name not in OURS]


def test_no_route_is_missing_from_the_table_and_none_is_invented() -> None:
    assert set(OURS) - set(TABLE) == set(), "say in TABLE who may use these"
    assert set(TABLE) - set(OURS) == set(), "TABLE names routes that are gone"
    assert set(LIBRARYS) >= ANYBODYS
    assert len(IN_ARENAS) > 40


class World:
    """Three arenas with one of everything, and somebody in every role of each."""

    def __init__(self) -> None:
        heartbeat.beat(heartbeat.WORKER, now=timezone.now())
        self.users = {who: User.objects.create_user(who, f"{who}@example.org") for who in ACCOUNTS}
        self.users["instance"].is_staff = True
        self.users["instance"].save()
        self.voters = {who: Voter.objects.create(user=user) for who, user in self.users.items()}
        self.voters["cookie"] = Voter.objects.create()
        self.kwargs = {access: self.arena(access) for access in OUTSIDE}
        self.browsers = {who: self.browser(who) for who in WHO}

    def browser(self, who: str) -> Client:
        browser = Client(raise_request_exception=False)
        if who in self.users:
            browser.force_login(self.users[who])
        elif who in self.voters:
            browser.cookies[voters.COOKIE] = voters.cookie_value(self.voters[who])
        return browser

    def arena(self, access: str) -> dict[str, Any]:
        """One arena, and what fills its addresses. Slugs have one length, so that answers can be compared."""
        now = timezone.now()
        arena = Arena.objects.create(slug=f"{access:x<7}", title="Team", kind="recorded", access=access)
        for role in ("voter", "expert", "auditor", "operator", "owner"):
            members.appoint(arena, self.voters[role], role)
        members.appoint(arena, self.voters["cookie"], "voter")
        victim = members.appoint(arena, Voter.objects.create(), "voter")
        field = [Competitor.objects.create(arena=arena, name=name, model_id=name) for name in ("Ash", "Birch")]
        prompts = PromptSet.objects.create(arena=arena, name="set")
        prompt = Prompt.objects.create(prompt_set=prompts, key="p", text="Which?")
        for competitor in field:
            RecordedAnswer.objects.create(prompt=prompt, competitor=competitor, text="x", conditions={})
        battles = [self.battle(arena, voter, field) for voter in (self.voters["voter"], victim.voter)]
        Vote.objects.create(battle=battles[1], voter=victim.voter, winner="a", created_at=now)
        publish_snapshot(arena, now=now)
        owner = self.users["owner"]
        upload = uploads.keep([File("prompts.csv", b"prompt\nWhich?\n")], arena, owner.pk, "prompts", now=now)
        run = GenerationRun.objects.create(prompt_set=prompts, started_by=owner, created_at=now)
        soon = now + timedelta(days=1)
        endpoint = Endpoint.objects.create(name=f"of {access}", base_url="http://127.0.0.1:9/v1")
        finding, decision = self.finding(arena, victim.voter)
        return {
            "slug": arena.slug, "battle_id": battles[0].public_id, "name": "Ash", "kind": "csv",
            "member_id": victim.pk, "invitation_id": invitations.invite(arena, "voter")[0].pk,
            "token_id": api_tokens.make(owner, name="x", scopes=["read"], expires_at=soon, arena=arena)[0].pk,
            "set_id": prompts.pk, "run_id": run.pk, "prompt_id": prompt.pk, "upload_id": upload.public_id,
            "token": "none", "competitor_id": field[0].pk, "endpoint_id": endpoint.pk, "number": 1,
            "provider_id": "oidc", "proposal_id": finding.pk, "exclusion_id": decision.pk,
            "webhook_id": webhooks.add(arena, "https://127.0.0.1/", now=now)[0].pk,  # refused before it is asked
        }  # fmt: skip

    @staticmethod
    def finding(arena: Arena, voter: Voter) -> tuple[Proposal, Exclusion]:
        now = timezone.now()
        run = ScreeningRun.objects.create(
            arena=arena, started_at=now, seconds=0.1, through_battle_id=0, through_vote_id=0, battles=1, votes=1,
            findings=1,
        )  # fmt: skip
        proposal = Proposal.objects.create(
            arena=arena, run=run, rule="D1", unit_kind="account", voters=[voter.pk], sign=1, action="held", votes=1,
            evidence={}, sentence="Chose Ash.", created_at=now,
        )  # fmt: skip
        reason = deciding.Reason(deciding.BY_HAND, "They asked for it.")
        return proposal, deciding.set_aside(arena, voter, reason, deciding.SCREENING, now=now)

    @staticmethod
    def battle(arena: Arena, voter: Voter, field: list[Competitor]) -> Battle:
        now = timezone.now()
        battle = Battle.objects.create(
            arena=arena, voter=voter, competitor_a=field[0], competitor_b=field[1], policy="uniform",
            draw_probability=0.5, seed="0", state="complete", stream_mode="paced", served_at=now, completed_at=now,
            expires_at=now + timedelta(days=1),
        )  # fmt: skip
        turn = Turn.objects.create(battle=battle, index=1, prompt="Which?", created_at=now)
        for side, pk in battle.competitor_ids():
            Response.objects.create(turn=turn, side=side, competitor_id=pk, text="x", created_at=now)
        return battle

    def ask(self, who: str, name: str, method: str, kwargs: dict[str, Any]) -> HttpResponseBase:
        """One request, whose effects are taken back."""

        def fill(match: re.Match[str]) -> str:
            word = match[1] or match[2]
            return "matrix" if (name, word) == ("leaderboards:chart", "name") else str(kwargs[word])

        route = re.sub(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>", fill, ROUTES[name]).replace("\\", "")
        kind = "application/json" if name.startswith("api:") else None
        body = BODIES.get(name, {})
        browser, undone = self.browsers[who], transaction.atomic()
        undone._from_testcase = True  # a vote insists on a transaction of its own
        cookies = deepcopy(browser.cookies)
        with undone:
            send = getattr(browser, method.lower())
            extra = {"content_type": kind} if kind and method != "GET" else {}
            answer: HttpResponseBase = send(f"/{route}{QUERIES.get(name, '')}", body, **extra)
            transaction.set_rollback(True)
        browser.cookies = cookies
        return answer


@pytest.fixture
def world(db: None) -> World:
    return World()


def passes(answer: HttpResponseBase) -> bool:
    to_sign_in = answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/login/")
    return answer.status_code not in (401, 403, 404) and not to_sign_in


def seen(answer: HttpResponseBase, slug: str) -> tuple[Any, ...]:
    """Status, headers and body, without what differs between any two answers."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", body.decode().replace(slug, "SLUG"))
    return answer.status_code, sorted(answer.headers), text


@pytest.mark.parametrize("access", OUTSIDE)
def test_inside_everybody_may_what_the_table_says(world: World, access: str) -> None:
    wrong, inside = [], [who for who in WHO if who not in OUTSIDE[access]]
    for name in IN_ARENAS:
        for methods, rule in TABLE[name]:
            allowed = BY_ACCESS[rule][access] if isinstance(rule, str) else rule
            for method in methods.split():
                for who in inside:
                    answer = world.ask(who, name, method, world.kwargs[access])
                    if answer.status_code >= 500 or passes(answer) is not (who in allowed):
                        wrong.append(f"{method} {name} by {who} in {access}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("access", ["invite", "private"])
def test_outsiders_get_the_same_answer_as_for_no_arena(world: World, access: str) -> None:
    wrong, there = [], world.kwargs[access]
    nowhere = {**there, "slug": "nothing"}
    for name in IN_ARENAS:
        for methods, _rule in TABLE[name]:
            for method in methods.split():
                for who in sorted(OUTSIDE[access]):
                    one = seen(world.ask(who, name, method, there), there["slug"])
                    other = seen(world.ask(who, name, method, nowhere), nowhere["slug"])
                    if one != other or one[0] not in (404, 302, 403, 405):
                        wrong.append(f"{method} {name} by {who}: {one[0]} and {other[0]}")
    assert not wrong, "\n".join(wrong)


def test_elsewhere_everybody_may_what_the_table_says(world: World) -> None:
    wrong = []
    for name in ELSEWHERE:
        for methods, rule in TABLE[name]:
            for method in methods.split():
                for who in WHO:
                    answer = world.ask(who, name, method, world.kwargs["private"])
                    if answer.status_code >= 500 or passes(answer) is not (who in rule):
                        wrong.append(f"{method} {name} by {who}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_lists_name_no_arena_to_outsiders(world: World) -> None:
    for access, outside in OUTSIDE.items():
        for who in WHO:
            for name in ("home", "api:arenas", "healthz", "console:index", "teams:account"):
                if who in outside:
                    said = seen(world.ask(who, name, "GET", {}), "no-slug")[2]
                    assert world.kwargs[access]["slug"] not in said, (who, name)


def test_pages_of_the_account_library_are_for_whom_they_are_meant(world: World) -> None:
    wrong = []
    for name in LIBRARYS:
        for who in WHO:
            answer = world.ask(who, name, "GET", {"key": "none", "uidb36": "1"})
            shut = who not in ACCOUNTS and name not in ANYBODYS
            if answer.status_code >= 500 or (shut and answer.status_code == 200):
                wrong.append(f"{name} by {who}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
