"""Compiles the native scanner and the other native modules when pg95 is built, where a compiler is there.

A hook of hatchling (pyproject.toml, tool.hatch.build.hooks.custom); by hand, for the checkout:
`python tools/build_native.py`. Without a compiler, Cython or Python's headers the package is built
without it, and the Python readers do the work; PG95_REQUIRE_NATIVE=1 makes that an error.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # by hand, without hatchling
    BuildHookInterface = object  # type: ignore[assignment, misc]

SCANNER = Path("analyzer/sources/logs/native")
SCANNER_SOURCES = (
    "scan.c",
    "events.c",
    "stderr.c",
    "csvlog.c",
    "jsonlog.c",
    "key.c",
    "shape.c",
    "table.c",
)
OTHERS = "analyzer/*/native/*.pyx"  # what they include lies beside them
FLAGS = (
    *("-std=gnu11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-strict-aliasing"),
    "-ffp-contract=off",  # sums of floats are the Python's to the last bit
)


def compile_all(root: Path) -> list[Path]:
    """Compile all modules below the checkout or source tree `root`; their paths.

    Raises:
        OSError, subprocess.CalledProcessError, ImportError: a tool is missing or failed.
    """
    import Cython  # noqa: F401, PLC0415 - told apart from a compiler that is missing

    sources = {root / SCANNER / "_scan.pyx": SCANNER_SOURCES}
    sources |= dict.fromkeys(sorted(root.glob(OTHERS)), ())
    # Asked here: while one thread has sysconfig find its variables, others see some of them missing.
    suffix, include = sysconfig.get_config_var("EXT_SUFFIX"), sysconfig.get_paths()["include"]
    with ThreadPoolExecutor() as pool:  # each is a process of its own
        made = [
            pool.submit(_compiled, module, beside, suffix, include)
            for module, beside in sources.items()
        ]
        return [one.result() for one in made]


def _compiled(module: Path, sources: tuple[str, ...], suffix: str, include: str) -> Path:
    """Compile one module, beside its source; modules' names end in `suffix`, Python's headers are in `include`."""
    folder = module.parent
    target = folder / (module.stem + suffix)
    with tempfile.TemporaryDirectory() as scratch:
        generated = Path(scratch, f"{module.stem}.c")
        _run([sys.executable, "-m", "cython", "-3", str(module), "-o", str(generated)])
        made = Path(scratch, target.name)
        compiler = os.environ.get("CC", "cc")
        _run(
            [
                compiler,
                *FLAGS,
                f"-I{include}",
                f"-I{folder}",
                str(generated),
                *(str(folder / name) for name in sources),
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
    """Adds what was compiled to a wheel, and makes the wheel the platform's own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Before a build: compile, or say why not."""
        if self.target_name != "wheel":
            return
        try:
            made = compile_all(Path(self.root))
        except (OSError, subprocess.CalledProcessError, ImportError) as error:
            if os.environ.get("PG95_REQUIRE_NATIVE"):
                raise
            detail = getattr(error, "stderr", None) or str(error)
            self.app.display_warning(f"the native readers are left out: {detail}")
            return
        build_data["artifacts"] += [str(path.relative_to(self.root)) for path in made]
        build_data["pure_python"] = False
        build_data["infer_tag"] = True


if __name__ == "__main__":
    try:
        print(*compile_all(Path(__file__).resolve().parent.parent), sep="\n")  # noqa: T201 - a command
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{failed}\n{failed.stderr}")
    except (OSError, ImportError) as failed:
        sys.exit(str(failed))
