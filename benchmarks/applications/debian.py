"""Applications that Debian has as a package: a copy of one, configured for the test bed."""

import shutil
from pathlib import Path

INSTALLED = Path("/usr/share")


def install(package: str, bed: Path, site: Path) -> Path:
    """Copy a Rails application to a folder where it may write; the Ruby that runs it.

    The copy is what the package installed, but for two places: the bed's settings (its database, and
    what administrators configure in a file), and the folder in which Debian's Gemfile looks for
    databases. Made anew each time: it takes no time.
    """
    installed, ruby = INSTALLED / package, shutil.which("ruby")
    if ruby is None or not (installed / "config.ru").exists():
        raise FileNotFoundError(
            f"no {installed}: apt-get install --no-install-recommends {package} {package}-pgsql "
            "(it need not be configured: answer no when it asks for a database)"
        )
    shutil.rmtree(site, ignore_errors=True)
    site.parent.mkdir(parents=True, exist_ok=True)
    left_out = shutil.ignore_patterns("instances", "database.yml", "Gemfile")
    shutil.copytree(installed, site, symlinks=True, ignore=left_out)
    gemfile = (installed / "Gemfile").read_text(encoding="utf-8")
    (site / "Gemfile").write_text(gemfile.replace(str(installed), str(site)), encoding="utf-8")
    own = site / "instances" / "default"
    for folder in ("config", "files", "log", "tmp/cache"):
        (own / folder).mkdir(parents=True)
    shutil.copy(bed / "database.yml", own / "config" / "database.yml")
    shutil.copy(bed / "database.yml", site / "config" / "database.yml")
    (own / "config" / "secret_key.txt").write_text("of a scratch server " * 4, encoding="utf-8")
    shutil.copy(bed / "settings.rb", site / "config" / "additional_environment.rb")
    return Path(ruby)
