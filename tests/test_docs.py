"""The documents say what is there, all of it, and nothing else."""

from __future__ import annotations

import ast
import inspect
import os
import pkgutil
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.urls import resolve

ROOT = Path(__file__).resolve().parent.parent
OUT_OF_SIGHT = {".venv", "var", "node_modules"}
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in sorted(ROOT.rglob("*.md"))
    if not OUT_OF_SIGHT & set(path.relative_to(ROOT).parts) and not any(part[0] == "." for part in path.parts[1:-1])
}
README, ARCHITECTURE = DOCUMENTS["README.md"], DOCUMENTS["ARCHITECTURE.md"]
ALL = "\n".join(DOCUMENTS.values())
OUR_APPS = [config for config in apps.get_app_configs() if config.name.startswith("arena.")]
PARENTS = {"BLINDFOLD_PROCESS", "LOCAL_MODEL_URL"}
"""Set by the parent for its children; nobody else is asked for them."""
OTHERS = {"PYTHON", "ARGS"}
"""Variables of make and shell in examples."""


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts)


def read_variables(path: Path) -> set[str]:
    """Names that a module asks for: of `os.environ`, of a mapping called environment, or by `arena.environment`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        asked: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Attribute):
            owner, verb = ast.unparse(node.func.value), node.func.attr
            from_mapping = re.search(r"\benviron(ment)?$", owner) and verb in ("get", "pop", "__getitem__")
            from_reader = path.name == "settings.py" and owner == "environment"
            if from_mapping or from_reader or (owner, verb) == ("os", "getenv"):
                asked = node.args[0]
        elif isinstance(node, ast.Call) and node.args and path.name == "environment.py":
            asked = node.args[0]  # one reader calls another
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            asked = node.slice if re.search(r"\benviron(ment)?$", ast.unparse(node.value)) else None
        if isinstance(asked, ast.Constant) and re.fullmatch(r"[A-Z][A-Z0-9_]+", str(asked.value)):
            found.add(str(asked.value))
    return found


READ = {name for path in [*python_files("arena", "ratings"), ROOT / "manage.py"] for name in read_variables(path)}
READ_BY_TESTS = {name for path in python_files("tests") for name in read_variables(path)}


def table(text: str, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its own head."""
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")
    ]
    return rows[2:]


def in_ticks(text: str) -> list[str]:
    """What stands in backticks outside of code blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def code_lines() -> Iterator[tuple[str, str]]:
    """Every line of every code block, with its document's name."""
    for name, text in DOCUMENTS.items():
        for block in re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL):
            yield from ((name, line.strip()) for line in block.splitlines())


# Environment


def documented_variables() -> set[str]:
    return {name for row in table(README, "Operate") for name in re.findall(r"`([A-Z_]+)`", row[0])}


def test_every_variable_that_the_code_reads_is_in_the_readme() -> None:
    assert {"PORT", "HOST", "ARENA_RATE_LIMITS", "DATABASE_POOL", "VAR_DIR", "WEB_PROCESSES", "LOCAL_MODEL"} <= READ
    missing = READ - PARENTS - documented_variables()
    assert not missing, f"README, Operate, does not mention {', '.join(sorted(missing))}"


def test_every_variable_in_the_readme_is_read() -> None:
    invented = documented_variables() - READ
    assert not invented, f"README, Operate, mentions {', '.join(sorted(invented))}, which nothing reads"


def test_the_parent_sets_what_only_the_parent_sets() -> None:
    source = (ROOT / "arena/start/supervisor.py").read_text(encoding="utf-8")
    assert PARENTS <= READ
    assert [name for name in PARENTS if not re.search(rf'"{name}"(\] =|:)', source)] == []


def test_every_variable_in_an_example_is_read_by_something() -> None:
    shown = set(re.findall(r"\b([A-Z][A-Z0-9_]{2,})=", ALL))
    assert "ARENA_VALIDATION_DATA" in shown
    invented = shown - READ - READ_BY_TESTS - OTHERS
    assert not invented, f"set in an example and read by nothing: {', '.join(sorted(invented))}"


def test_every_variable_that_the_tests_read_is_in_contributing() -> None:
    outside = {"PATH", "HOME", "NO_COLOR", "CHROMIUM"}
    missing = {name for name in READ_BY_TESTS - READ - outside if name not in DOCUMENTS["CONTRIBUTING.md"]}
    assert not missing, f"CONTRIBUTING does not mention {', '.join(sorted(missing))}"


DEFAULTS = """
import os
from pathlib import Path
from arena import environment, settings
from arena.start import checks
print("HOST", settings.HOST)
print("PORT", settings.PORT)
print("WEB_PROCESSES", checks.process_count({}))
print("LOCAL_MODEL", "on" if checks.local_model_wanted({}) else "off")
print("ARENA_RATE_LIMITS", "on" if settings.RATE_LIMITS else "off")
os.environ["DATABASE_URL"] = "postgres://host/name"
print("DATABASE_POOL", environment.database(Path("unused"))["OPTIONS"]["pool"]["max_size"])
"""


def test_the_defaults_in_the_readme_are_those_of_the_code(tmp_path: Path) -> None:
    documented = dict[str, str]()
    for row in table(README, "Operate"):
        names, values = re.findall(r"`([A-Z_]+)`", row[0]), re.findall(r"`([^`]+)`", row[2])
        documented |= dict(zip(names, values, strict=False))
    env = {name: value for name, value in os.environ.items() if name not in READ} | {"VAR_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", DEFAULTS], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    real = dict(line.split() for line in done.stdout.splitlines())
    assert {name: documented.get(name) for name in real} == real


# Commands


def our_commands() -> dict[str, str]:
    return {name: app for name, app in get_commands().items() if app.startswith("arena.")}


def test_every_management_command_is_in_the_documents() -> None:
    assert len(our_commands()) >= 10
    missing = [name for name in our_commands() if not re.search(rf"manage\.py {name}\b|`{name}`", ALL)]
    assert not missing, f"no document mentions {', '.join(sorted(missing))}"


def test_every_command_in_the_documents_exists() -> None:
    named = set(re.findall(r"manage\.py (\w+)", ALL))
    assert named
    assert not named - set(get_commands()), f"no such commands: {named - set(get_commands())}"


def test_every_command_line_in_the_documents_is_understood() -> None:
    lines = [(name, line) for name, line in code_lines() if "manage.py " in line]
    assert len(lines) >= 5
    for name, line in lines:
        command, *arguments = shlex.split(line, comments=True)[2:]
        parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
        parser.called_from_command_line = True
        try:
            parser.parse_args(arguments)
        except SystemExit:
            pytest.fail(f"{name}: {line}")


@pytest.mark.parametrize("name", sorted(our_commands()))
def test_every_command_explains_itself(name: str) -> None:
    parser = load_command_class(our_commands()[name], name).create_parser("manage.py", name)
    theirs = set(load_command_class("django.core", "check").create_parser("manage.py", "check")._option_string_actions)
    assert parser.description and len(parser.description) > 20
    unexplained = [
        action.dest for action in parser._actions if not action.help and not theirs & set(action.option_strings)
    ]
    assert not unexplained, f"{name} does not explain {', '.join(unexplained)}"


# Makefile, suites, files, links


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def test_every_target_is_in_the_documents_and_every_documented_one_exists() -> None:
    named = set(re.findall(r"\bmake ([a-z][\w-]*)(?=[\s`#]|$)", "\n".join(line for _, line in code_lines())))
    named |= {word for text in in_ticks(ALL) for word in re.findall(r"(?:^|\s)make ([a-z][\w-]*)", text)}
    assert named - makefile_targets() == set(), "documented, but no target"
    assert makefile_targets() - named == set(), "a target that no document mentions"


def test_every_target_is_phony() -> None:
    """A file called `test` must not keep `make test` from running."""
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert phony and set(phony[1].split()) == makefile_targets()


def test_every_script_that_the_makefile_runs_exists() -> None:
    scripts = re.findall(r"[\w/]+\.py\b", (ROOT / "Makefile").read_text())
    assert scripts
    assert [script for script in scripts if not (ROOT / script).exists()] == []


def test_every_suite_is_in_the_documents_and_every_documented_one_exists() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    markers = {line.partition(":")[0] for line in options["markers"]}
    named = set(re.findall(r"pytest -m (\w+)`", ALL))
    assert named - markers == set(), "documented, but no marker"
    named.add("postgres")  # asked for by DATABASE_URL, which is in the table too
    assert markers - named == set(), "a suite that no document mentions"


def test_every_file_that_the_documents_name_exists() -> None:
    here = {path.name for path in ROOT.iterdir()} - OUT_OF_SIGHT
    named = {
        (name, word)
        for name, text in DOCUMENTS.items()
        for tick in in_ticks(text)
        for word in re.findall(r"^[\w.-]+(?:/[\w.-]*)*$", tick)
        if word.partition("/")[0] in here and ("/" in word or "." in word)
    }
    assert len(named) >= 5
    assert [f"{name}: {word}" for name, word in sorted(named) if not (ROOT / word).exists()] == []


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_relative_link_leads_somewhere() -> None:
    broken, followed = [], 0
    for name, text in DOCUMENTS.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"^\[[^\]]+\]:\s*(\S+)", text, re.MULTILINE):
            if re.match(r"[a-z]+:", target):
                continue
            followed += 1
            path, _, anchor = target.partition("#")
            file = (ROOT / name).parent / path if path else ROOT / name
            if not file.exists() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8"))):
                broken.append(f"{name}: {target}")
    assert followed >= 3
    assert not broken, "\n".join(broken)


# Where a vote goes, and what stands where


def named_objects(text: str) -> Iterator[tuple[str, Any]]:
    """Dotted names below an app or ratings, with what they name."""
    starts = "|".join([*(config.label for config in OUR_APPS), "ratings"])
    for name in in_ticks(text):
        if re.fullmatch(rf"(arena\.)?({starts})(\.\w+)+", name):
            yield name, lookup(name)


def lookup(name: str) -> Any:
    full = name if name.startswith(("ratings", "arena")) else f"arena.{name}"
    try:
        return pkgutil.resolve_name(full)
    except (ImportError, AttributeError):
        return None


def test_where_a_vote_goes_is_the_second_heading_of_the_readme() -> None:
    assert re.findall(r"^#+ (.+)$", README, flags=re.MULTILINE)[1] == "Where a vote goes"


def test_where_a_vote_goes_is_eight_lines_with_functions_that_exist() -> None:
    rows = table(README, "Where a vote goes")
    assert len(rows) == 8
    for step, functions, promise in rows:
        names = re.findall(r"`([^`]+)`", functions)
        found = dict(named_objects(functions))
        assert names and sorted(found) == sorted(names), f"{step}: not all of {names} can be imported"
        assert all(inspect.isfunction(thing) or inspect.ismodule(thing) for thing in found.values()), step
        assert any(inspect.isfunction(thing) for thing in found.values()) and promise, step


def test_every_name_in_the_documents_can_be_imported() -> None:
    found = {(name, word): thing for name, text in DOCUMENTS.items() for word, thing in named_objects(text)}
    assert len(found) >= 10
    missing = [f"{name}: {word}" for (name, word), thing in sorted(found.items(), key=str) if thing is None]
    assert not missing, "\n".join(missing)


def rooms() -> dict[str, str]:
    block = re.search(r"## Rooms\n+```\n(.*?)```", ARCHITECTURE, flags=re.DOTALL)
    assert block
    return {match[1]: match[2] for match in re.finditer(r"^\s+(\w+)/\s+(.*)$", block[1], flags=re.MULTILINE)}


@pytest.mark.parametrize("config", OUR_APPS, ids=lambda config: config.label)
def test_every_app_stands_in_the_architecture_with_its_models(config: Any) -> None:
    models = {model.__name__ for model in config.get_models()}
    assert config.label in rooms(), f"ARCHITECTURE, Rooms, lacks {config.label}/"
    named = set(re.findall(r"\b[A-Z]\w*[a-z]\w*\b", rooms()[config.label].split("   ")[0])) if models else set()
    assert named == models


def test_every_room_of_the_architecture_exists() -> None:
    assert [room for room in rooms() if not (ROOT / "arena" / room).is_dir()] == []
    packages = {path.parent.name for path in (ROOT / "arena").glob("*/__init__.py")}
    assert packages - set(rooms()) == set(), "a room that ARCHITECTURE does not mention"


def test_every_address_in_the_readme_is_served() -> None:
    addresses = {word for word in in_ticks(README) if re.fullmatch(r"/[\w<>./-]*", word)}
    assert "/healthz" in addresses
    for address in addresses:
        resolve(address.replace("<slug>", "some-arena"))


def test_every_option_of_the_statistics_command_in_the_documents_is_understood() -> None:
    lines = [line for _, line in code_lines() if "-m ratings " in line]
    assert lines
    from ratings.__main__ import _parser

    for line in lines:
        _parser().parse_args(shlex.split(line, comments=True)[3:])


# Words


GLOSSARY = "docs/words.md"


def words() -> list[list[str]]:
    return table(DOCUMENTS[GLOSSARY], "Words of the code")


def test_every_model_is_a_word_of_the_glossary() -> None:
    explained = {tick.rpartition(".")[2] for row in words() for tick in re.findall(r"`([^`]+)`", row[2])}
    models = {model.__name__ for config in OUR_APPS for model in config.get_models()}
    assert not models - explained, f"{GLOSSARY} does not explain {', '.join(sorted(models - explained))}"


def test_every_word_of_the_glossary_names_something_that_exists() -> None:
    assert len(words()) >= 20
    for word, meaning, place in words():
        names = re.findall(r"`([^`]+)`", place)
        assert names and len(meaning) > 15, word
        for name in names:
            thing = lookup(name.rpartition(":")[0] or name)
            assert thing is not None, f"{word}: {name} cannot be imported"
            field = name.partition(":")[2]
            known = {*dir(thing), *getattr(thing, "__dataclass_fields__", {})} if field else {""}
            assert field in known, f"{word}: {name} has no {field}"


def test_the_glossary_is_in_order_and_says_each_word_once() -> None:
    listed = [row[0].lower() for row in words()]
    assert listed == sorted(set(listed))
