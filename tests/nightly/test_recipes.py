"""What docs/nightly.md gives to copy works: cron's line is run, systemd judges its units, TOML is read."""

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path

from growing import written

from analyzer.configuration import read_configuration
from analyzer.nightly.settings import read_settings

DOCS = Path(__file__).parent.parent.parent / "docs"
PG95 = Path(sys.executable).with_name("pg95")
INSTALLED, CONFIGURED = "/opt/pg95/bin/pg95", "/etc/pg95/pg95.toml"


def here(text: str, tmp_path: Path) -> str:
    """A recipe with this machine's paths."""
    assert INSTALLED in text
    return text.replace(INSTALLED, str(PG95)).replace(CONFIGURED, str(tmp_path / "pg95.toml"))


def test_the_configuration_is_read(tmp_path: Path) -> None:
    (tmp_path / "pg95.toml").write_text(
        re.findall(r"```toml\n(.*?)```", (DOCS / "nightly.md").read_text(), re.DOTALL)[0]
    )
    configuration = read_configuration(str(tmp_path / "pg95.toml"))
    settings = read_settings(configuration)
    assert settings.logging_server == "prod"
    assert settings.alerts.webhook is not None
    assert settings.alerts.mail is not None


def test_the_crontab_runs_as_cron_runs_it(tmp_path: Path) -> None:
    lines = here((DOCS / "nightly" / "crontab").read_text(), tmp_path).splitlines()
    job = lines[-1].split(maxsplit=6)
    assert job[:5] == ["17", "3", "*", "*", "*"]
    assert "%" not in job[6]  # cron makes it a newline
    (tmp_path / "app.log").write_bytes(written("stderr", 1, 50))
    (tmp_path / "pg95.toml").write_text(
        '[history]\npath = "history.db"\n[[logs]]\nname = "app"\npaths = ["app.log"]\nsettle_minutes = 0\n'
        '[outputs]\nmd = "report.md"\n'
    )
    # As cron(8): the environment of /etc/cron.d, the home folder, sh, no terminal.
    environment = ["HOME=/", "LOGNAME=pg95", "SHELL=/bin/sh", "PATH=/usr/bin:/bin"]
    command = f"cd / && env -i {' '.join(environment)} /bin/sh -c {shlex.quote(job[6])}"
    done = subprocess.run(
        ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.md").read_text().startswith("# ")
    assert (tmp_path / "history.db").exists()


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    units = []
    for name in ("pg95-nightly.service", "pg95-nightly.timer"):
        text = (DOCS / "nightly" / name).read_text()
        (tmp_path / name).write_text(text.replace(INSTALLED, str(PG95)))
        units.append(str(tmp_path / name))
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    service = configparser.RawConfigParser(strict=False)
    service.read(units[0])
    assert shlex.split(service["Service"]["ExecStart"])[1:] == ["nightly", "--config", CONFIGURED]
