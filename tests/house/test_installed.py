"""What is shipped works alone: the wheel, built from the sdist, does the main job elsewhere.

Nothing is fetched: the build uses the build back end of this environment, and the new environment
sees this one's dependencies through a .pth file. Such a file's folders are searched, but the .pth
files inside them (the editable pg95's) are not read, so `analyzer` can come from the wheel only.
"""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

VERDICTS = {"met", "missed", "unknown"}


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Standard output of a command that must succeed, in a folder, without this run's PYTHON*."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PG"))
    }
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True, slots=True)
class Distributions:
    """The two files that would be published."""

    sdist: Path
    wheel: Path


@dataclass(frozen=True, slots=True)
class Installation:
    """A fresh environment with the wheel, and an empty folder to work in."""

    environment: Path
    folder: Path

    def pg95(self, *arguments: str) -> str:
        """Run the installed command; its standard output."""
        return run([self.environment / "bin" / "pg95", *arguments], self.folder)

    def evaluate(self, statements: str) -> str:
        """Run Python statements in the environment; what they print."""
        return run([self.environment / "bin" / "python", "-c", statements], self.folder).strip()


@pytest.fixture(scope="module")
def distributions(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """An sdist of the checkout, and the wheel built from that sdist."""
    target = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", target, "."], checkout)
    (sdist,) = target.glob("*.tar.gz")
    (wheel,) = target.glob("*.whl")
    return Distributions(sdist, wheel)


@pytest.fixture(scope="module")
def installation(
    distributions: Distributions, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    """The wheel in an environment of its own, outside the checkout."""
    environment = tmp_path_factory.mktemp("installed") / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps"]
    run([*pip, "--disable-pip-version-check", "-q", distributions.wheel], environment)
    scheme = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=scheme))
    own = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "dependencies.pth").write_text("\n".join(sorted(own)) + "\n", encoding="utf-8")
    return Installation(environment, tmp_path_factory.mktemp("elsewhere"))


def test_the_package_comes_from_the_wheel(installation: Installation) -> None:
    where = installation.evaluate("import analyzer; print(analyzer.__file__)")
    assert Path(where).is_relative_to(installation.environment)


def test_templates_and_samples_come_from_the_wheel(installation: Installation) -> None:
    where = installation.evaluate(
        "from analyzer.resources import sample_directory, templates_directory\n"
        "print(templates_directory()); print(sample_directory())"
    )
    for folder in where.splitlines():
        assert Path(folder).is_relative_to(installation.environment)
        assert any(Path(folder).iterdir())


def test_demo_reports_verdict_and_n_plus_one(installation: Installation) -> None:
    installation.pg95("demo", "-o", "demo.html", "-o", "demo.json")
    document = json.loads((installation.folder / "demo.json").read_text(encoding="utf-8"))
    assert document["target"]["verdict"] in VERDICTS - {"unknown"}
    found = [finding for finding in document["findings"] if finding["detector"] == "n-plus-one"]
    assert found
    assert all(finding["evidence"]["children_per_occurrence"]["max"] == 20 for finding in found)
    page = (installation.folder / "demo.html").read_text(encoding="utf-8")
    assert "<html" in page
    assert "N+1" in page
    assert document["target"]["verdict"] in page.lower()
    for finding in found:
        assert finding["shape_ids"][0] in page


def test_version_is_the_distribution_s(
    installation: Installation, distributions: Distributions
) -> None:
    version = installation.evaluate("import analyzer; print(analyzer.__version__)")
    assert distributions.wheel.name.startswith(f"pg95-{version}-")
    assert version in installation.pg95("--version")


def test_sdist_holds_all_that_a_developer_needs(
    distributions: Distributions, checkout: Path
) -> None:
    with tarfile.open(distributions.sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("analyzer", "reports/templates", "sample_logs", "tests", "docs", "tools"):
        wanted = {
            str(path.relative_to(checkout))
            for path in (checkout / folder).rglob("*")
            if path.is_file() and path.suffix not in {".pyc", ".so"}
        }
        assert wanted <= inside, f"{folder} is incomplete: {sorted(wanted - inside)[:5]}"
    assert {"Makefile", "constraints.txt", "LICENSE", "README.md", "pyproject.toml"} <= inside


def test_wheel_holds_templates_samples_and_licence(
    distributions: Distributions, checkout: Path
) -> None:
    with zipfile.ZipFile(distributions.wheel) as archive:
        inside = set(archive.namelist())
    for folder, place in (("reports/templates", "templates"), ("sample_logs", "sample_logs")):
        for path in (checkout / folder).rglob("*"):
            if path.is_file():
                assert f"analyzer/{place}/{path.relative_to(checkout / folder)}" in inside
    assert any(name.endswith("licenses/LICENSE") for name in inside)
    assert not any(name.startswith("tests/") for name in inside)
