"""tools/setup on machines that lack things: it says what is missing, and touches nothing else.

The script runs in a copy of the few files it needs, with a PATH that holds only what the test gives
it: no apt-get, no sudo, a `python3.11` that has no ensurepip (as on Debian without python3.11-venv).
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

NEEDED = (
    "bash",
    "dirname",
    "cat",
    "cut",
    "sha256sum",
    "head",
    "grep",
    "id",
    "rm",
    "touch",
    "env",
    "uname",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """A copy of the project's set-up files, and a folder of programs that is all of PATH."""

    project: Path
    programs: Path

    def add(self, name: str, script: str) -> None:
        """Put a shell script on PATH."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def setup(self, what: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run tools/setup there."""
        return subprocess.run(
            [self.project / "tools" / "setup", what],
            env={"PATH": str(self.programs), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(checkout: Path, tmp_path: Path) -> Machine:
    """A machine with Python but neither its venv module nor a way to install anything."""
    project = tmp_path / "project"
    (project / "tools").mkdir(parents=True)
    files = (
        "pyproject.toml",
        "constraints.txt",
        "tools/setup",
        "tools/postgres18",
        "tools/prisma7",
    )
    for name in files:
        shutil.copy(checkout / name, project / name)
    native = "analyzer/sources/logs/native"
    plans, model = "analyzer/plans/native", "analyzer/model/native"
    for folder in (native, plans, model):
        (project / folder).mkdir(parents=True)
    for path in (
        "tools/build_native.py",
        f"{native}/scan.c",
        f"{native}/scan.h",
        f"{native}/_scan.pyx",
        f"{plans}/_lines.pyx",
        f"{model}/_columns.pyx",
    ):
        shutil.copy(checkout / path, project / path)
    made = Machine(project, tmp_path / "programs")
    made.programs.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found, name
        # Not a symbolic link: a test that puts something else there would write through it.
        made.add(name, f'exec {found} "$@"')
    made.add("python3.11", f'[ "$2" = ensurepip ] && exit 1\nexec {sys.executable} "$@"')
    return made


def test_a_missing_venv_module_is_named(machine: Machine) -> None:
    done = machine.setup("run")
    assert done.returncode == 1
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"apt-get install -y python{version}-venv" in done.stderr
    assert not (machine.project / ".venv").exists()


def test_a_missing_python_is_named(machine: Machine) -> None:
    (machine.programs / "python3.11").unlink()
    done = machine.setup("run")
    assert done.returncode == 1
    assert "Python 3.11 or later" in done.stderr
    assert "apt-get install -y python3.11 python3.11-venv" in done.stderr


def test_an_old_python_is_refused(machine: Machine) -> None:
    machine.add("ancient", "exit 1")
    done = machine.setup("run", PYTHON="ancient")
    assert done.returncode == 1
    assert "PYTHON=ancient is not a Python 3.11 or later" in done.stderr


def test_all_that_is_missing_is_named_at_once(machine: Machine) -> None:
    done = machine.setup("test", PG95_TEST_CACHE=str(machine.project / "cache"))
    assert done.returncode == 1
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (
        f"apt-get install -y gcc libc6-dev chromium redis-server systemd python{version}-venv npm"
        in done.stderr
    )


def test_a_password_is_never_asked_for(machine: Machine) -> None:
    machine.add("id", "echo 1000")
    machine.add("apt-get", "echo apt-get was called; exit 9")
    machine.add("sudo", '[ "$1" = -n ] && exit 1; echo sudo would have asked; exit 9')
    done = machine.setup("run")
    assert done.returncode == 1
    assert "apt-get update && apt-get install -y" in done.stderr
    assert "was called" not in done.stdout + done.stderr
    assert "would have asked" not in done.stdout + done.stderr


def test_what_apt_said_is_shown_when_it_fails(machine: Machine) -> None:
    machine.add("id", "echo 0")
    machine.add("apt-get", 'case "$*" in *install*) echo "E: no such package"; exit 100;; esac')
    done = machine.setup("run")
    assert done.returncode == 1
    assert "E: no such package" in done.stderr


def test_wrong_usage_is_refused(machine: Machine) -> None:
    done = machine.setup("everything")
    assert done.returncode == 1
    assert "usage: tools/setup run|dev|test" in done.stderr


def test_setting_up_again_is_free(machine: Machine) -> None:
    """With its stamp in place, the script runs no Python, no pip and no apt-get."""
    programs = machine.project / ".venv" / "bin"
    programs.mkdir(parents=True)
    calls = machine.project / "calls"
    (programs / "pip").write_text(f"#!{programs}/python\n", encoding="utf-8")
    names = [
        f"analyzer/{name}.any.so"
        for name in ("sources/logs/native/_scan", "plans/native/_lines", "model/native/_columns")
    ]
    compiled = " ".join(str(machine.project / name) for name in names)
    compiles = f'case "$*" in *build_native.py) touch {compiled};; esac'
    for name, script in (("python", f'echo "$*" >> {calls}\n{compiles}'), ("pg95", "exit 0")):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    done = machine.setup("run")
    assert done.returncode == 0, done.stderr
    first = calls.read_text(encoding="utf-8")
    assert "-m pip install" in first
    assert first.count("build_native.py") == 1
    assert machine.setup("run").returncode == 0
    assert calls.read_text(encoding="utf-8") == first
    with (machine.project / "constraints.txt").open("a", encoding="utf-8") as constraints:
        constraints.write("another==1\n")
    assert machine.setup("run").returncode == 0
    assert calls.read_text(encoding="utf-8").count("-m pip install") > first.count("-m pip install")


def test_without_a_compiler_the_run_goes_on_with_python(machine: Machine) -> None:
    programs = machine.project / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "pip").write_text(f"#!{programs}/python\n", encoding="utf-8")
    fails = 'case "$*" in *build_native.py) echo "no compiler" >&2; exit 1;; esac'
    for name, script in (("python", fails), ("pg95", "exit 0")):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    done = machine.setup("run")
    assert done.returncode == 0
    assert "no native scanner" in done.stderr
