"""Applications that npm has as packages, installed into a folder of their own."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path


def install(packages: Sequence[str], site: Path) -> Path:
    """Install packages (`name@version`) where they are not yet; the Node.js that runs them.

    No script of a package is run: what has to be compiled is left out.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise FileNotFoundError("no node and npm: the application needs Node.js 20 or newer")
    mark = site / "installed"
    wanted = "\n".join(packages)
    if not mark.exists() or mark.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(site, ignore_errors=True)
        site.mkdir(parents=True)
        (site / "package.json").write_text(json.dumps({"private": True}), encoding="utf-8")
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages]
        subprocess.run(command, cwd=site, check=True, stdout=subprocess.DEVNULL)
        mark.write_text(wanted, encoding="utf-8")
    return Path(node)
