"""The house's rules as tests: which way imports point, who writes which table, how pure ratings/ is."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDER = ["teams", "competitors", "prompts", "battles", "integrity", "leaderboards"]
"""Apps from the bottom up: each may import those before it."""
ADAPTORS = re.compile(r"^(views|consumers|urls|routing|admin|management|context)(\.|$)")
MAY_USE_RATINGS = {
    "leaderboards", "integrity", "battles.matchmaking", "battles.importing_rows", "battles.importing_texts",
}  # fmt: skip
WRITES = {"create", "bulk_create", "update", "bulk_update", "delete", "get_or_create", "update_or_create", "save"}
WRITERS = {
    "Vote": {"battles.votes"},
    "VoteNote": {"battles.notes"},
    "SelfNaming": {"battles.marking"},
    "SelfNamingReversal": {"battles.marking"},
    "AddressKey": {"battles.addresses"},
    "ServedFrom": {"battles.addresses"},
    "CheckedAnswer": {"battles.checking"},
    "Response": {"battles.recording", "battles.importing", "battles.simulating"},
    "Turn": {"battles.opening", "battles.importing", "battles.simulating"},
    "Battle": {"battles.opening", "battles.lifecycle", "battles.recording", "battles.importing", "battles.simulating"},
    "AuditLink": {"integrity.sealing"},
    "AuditHead": {"integrity.sealing"},
    "VoterSalt": {"integrity.sealing"},
    "Erasure": {"integrity.sealing"},
    "Exclusion": {"integrity.deciding"},
    "ScreeningPolicy": {"integrity.deciding"},
    "ScreeningRun": {"integrity.proposing"},
    "Proposal": {"integrity.proposing"},
    "Snapshot": {"leaderboards.publishing"},
    "SnapshotRow": {"leaderboards.publishing"},
    "BoardSettings": {"leaderboards.board_settings"},
    "Webhook": {"leaderboards.webhooks"},
    "Voter": {"teams.voters", "battles.importing", "battles.simulating"},
    "Membership": {"teams.members"},
    "Invitation": {"teams.invitations"},
    "SetupLink": {"teams.setup"},
    "ApiToken": {"teams.api_tokens"},
    "Heartbeat": {"teams.heartbeat"},
    "GenerationRun": {"prompts.generation.runs"},
    "PromptSet": {"prompts.importing", "prompts.keeping", "prompts.seeding"},
    "Prompt": {"prompts.importing", "prompts.answers", "prompts.keeping"},
    "RecordedAnswer": {"prompts.answers"},
    "Upload": {"prompts.uploads"},
    "Endpoint": {"competitors.health", "competitors.catalogue", "prompts.seeding"},
}


def modules(package: str) -> Iterator[tuple[str, ast.Module]]:
    """Every module of a package with its name below it and its syntax tree."""
    base = ROOT / package
    for path in sorted(base.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        name = ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(tree: ast.Module) -> Iterator[str]:
    """Full names of imported modules; `from x import y` counts as x and x.y."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_adaptor(module: str) -> bool:
    _app, _, rest = module.partition(".")
    return bool(ADAPTORS.match(rest)) or module.split(".")[0] not in ORDER


def test_apps_import_only_apps_below_them() -> None:
    wrong = []
    for module, tree in modules("arena"):
        app = module.split(".")[0]
        if app not in ORDER or is_adaptor(module):
            continue
        for imported in imports(tree):
            match = re.match(r"arena\.(\w+)", imported)
            if match and match[1] in ORDER and ORDER.index(match[1]) > ORDER.index(app):
                wrong.append(f"arena.{module} imports {imported}, which lies above it")
            if match and match[1] in ("api", "urls", "asgi"):
                wrong.append(f"arena.{module} imports the adaptor {imported}")
    assert not wrong, "\n".join(wrong)


def test_adaptors_are_imported_by_no_domain_module() -> None:
    wrong = []
    for module, tree in modules("arena"):
        if is_adaptor(module):
            continue
        for imported in imports(tree):
            match = re.match(r"arena\.(\w+)\.(.+)", imported)
            if match and match[1] in ORDER and ADAPTORS.match(match[2]):
                wrong.append(f"arena.{module} imports the adaptor {imported}")
    assert not wrong, "\n".join(wrong)


def test_ratings_imports_only_the_standard_library_numpy_and_scipy() -> None:
    allowed = set(sys.stdlib_module_names) | {"numpy", "scipy", "ratings"}
    wrong = [
        f"ratings.{module} imports {imported}"
        for module, tree in modules("ratings")
        for imported in imports(tree)
        if imported.split(".")[0] not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_ratings_reads_no_clock_and_no_global_randomness() -> None:
    forbidden = re.compile(
        r"^(np|numpy)\.random\.(seed|rand|randn|random|normal|choice|shuffle)$|^random\.|^time\.time"
    )
    wrong = []
    for module, tree in modules("ratings"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and forbidden.match(ast.unparse(node.func)):
                wrong.append(f"ratings.{module}:{node.lineno} calls {ast.unparse(node.func)}")
    assert not wrong, "\n".join(wrong)


def test_ratings_is_used_only_where_the_house_says() -> None:
    wrong = [
        f"arena.{module} imports {imported}"
        for module, tree in modules("arena")
        for imported in imports(tree)
        if imported.split(".")[0] == "ratings"
        and not is_adaptor(module)
        and not any(module == name or module.startswith(f"{name}.") for name in MAY_USE_RATINGS)
    ]
    assert not wrong, "\n".join(wrong)


def test_providers_never_see_the_orm() -> None:
    wrong = [
        f"arena.{module} imports {imported}"
        for module, tree in modules("arena")
        if module.startswith("competitors.providers")
        for imported in imports(tree)
        if imported.split(".")[0] in ("django", "channels") or imported.endswith(".models")
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("model", sorted(WRITERS))
def test_each_table_is_written_by_its_writers_alone(model: str) -> None:
    call = re.compile(rf"^{model}(\.objects\b.*)?\.({'|'.join(sorted(WRITES))})$", re.DOTALL)
    wrong = []
    for module, tree in modules("arena"):
        if module in WRITERS[model] or module.endswith(".models") or module.split(".")[-1] == "admin":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and call.match(ast.unparse(node.func)):
                wrong.append(f"arena.{module}:{node.lineno} {ast.unparse(node.func)}")
    assert not wrong, "\n".join(wrong)


def test_no_module_edits_or_deletes_a_vote() -> None:
    edit = re.compile(r"^Vote(\.objects\b.*)?\.(update|bulk_update|delete|save|update_or_create)$", re.DOTALL)
    wrong = [
        f"arena.{module}:{node.lineno}"
        for module, tree in modules("arena")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and edit.match(ast.unparse(node.func))
    ]
    assert not wrong, "\n".join(wrong)


def test_templates_before_the_vote_are_handed_no_model() -> None:
    """The stage is built from BlindBattle; only blinding turns a side into a competitor's name."""
    tree = dict(modules("arena"))["battles.views.stage"]
    names = {name.rsplit(".", 1)[-1] for name in imports(tree)}
    assert "Competitor" not in names
    assert "Response" not in names


def test_files_stay_readable() -> None:
    """About 400 lines, then a file wants to become two."""
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for folder in ("arena", "ratings", "static/js", "static/css", "templates")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".js", ".css", ".html") and "migrations" not in path.parts
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 420
    ]
    assert not long, "\n".join(long)


def test_the_arena_package_stays_empty_at_its_root() -> None:
    assert (ROOT / "arena/__init__.py").read_text() == ""
