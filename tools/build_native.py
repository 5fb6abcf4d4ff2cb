"""Compiles the native scanner when pg95 is built or installed, where a compiler is there.

A hook of hatchling (pyproject.toml, tool.hatch.build.hooks.custom); by hand, for the checkout:
`python tools/build_native.py`. Without a compiler, Cython or Python's headers the package is built
without it, and the Python readers do the work; PG95_REQUIRE_NATIVE=1 makes that an error.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # by hand, without hatchling
    BuildHookInterface = object  # type: ignore[assignment, misc]

FOLDER = Path("analyzer/sources/logs/native")
SOURCES = ("scan.c", "stderr.c", "csvlog.c", "jsonlog.c", "key.c", "table.c")
FLAGS = ("-std=gnu11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-strict-aliasing")


def compiled_name() -> str:
    """The file name of the extension module for this interpreter."""
    return "_scan" + sysconfig.get_config_var("EXT_SUFFIX")


def compile_scanner(root: Path) -> Path:
    """Compile the scanner below the checkout or source tree `root`; the module's path.

    Raises:
        OSError, subprocess.CalledProcessError, ImportError: a tool is missing or failed.
    """
    import Cython  # noqa: F401, PLC0415 - told apart from a compiler that is missing

    folder = root / FOLDER
    target = folder / compiled_name()
    with tempfile.TemporaryDirectory() as scratch:
        generated = Path(scratch, "_scan.c")
        _run(
            [sys.executable, "-m", "cython", "-3", str(folder / "_scan.pyx"), "-o", str(generated)]
        )
        made = Path(scratch, target.name)
        compiler = os.environ.get("CC", "cc")
        include = sysconfig.get_paths()["include"]
        sources = [str(folder / name) for name in SOURCES]
        _run(
            [
                compiler,
                *FLAGS,
                f"-I{include}",
                f"-I{folder}",
                str(generated),
                *sources,
                "-o",
                str(made),
            ]
        )
        target.unlink(missing_ok=True)  # a running process keeps the one it has
        target.write_bytes(made.read_bytes())
        target.chmod(0o755)
    return target


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own sources


class NativeScannerHook(BuildHookInterface):  # type: ignore[misc, valid-type]
    """Adds the compiled scanner to a wheel, and makes the wheel the platform's own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Before a build: compile, or say why not."""
        if self.target_name != "wheel":
            return
        try:
            made = compile_scanner(Path(self.root))
        except (OSError, subprocess.CalledProcessError, ImportError) as error:
            if os.environ.get("PG95_REQUIRE_NATIVE"):
                raise
            detail = getattr(error, "stderr", None) or str(error)
            self.app.display_warning(f"the native scanner is left out: {detail}")
            return
        build_data["artifacts"].append(str(made.relative_to(self.root)))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True


if __name__ == "__main__":
    try:
        print(compile_scanner(Path(__file__).resolve().parent.parent))  # noqa: T201 - a command
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{failed}\n{failed.stderr}")
    except (OSError, ImportError) as failed:
        sys.exit(str(failed))
