"""pg95.toml's part for the nightly job: what it says, and what it must not say."""

from pathlib import Path

import pytest

from analyzer.configuration import read_configuration
from analyzer.errors import UsageError
from analyzer.nightly.settings import Settings, read_settings

LOGS = '[[logs]]\nname = "app"\npaths = ["logs/*.log*"]\n'
HOOK = LOGS + "[alerts]\n[alerts.webhook]\n"
MAIL = LOGS + '[alerts]\n[alerts.smtp]\nhost = "mx"\nfrom = "a@x.org"\nto = ["b@x.org"]\n'


def settings(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "pg95.toml"
    path.write_text(text)
    return read_settings(read_configuration(str(path)))


def test_everything(tmp_path: Path) -> None:
    made = settings(
        tmp_path,
        """
        [target]
        ms = 50
        [history]
        path = "history.db"
        [[servers]]
        name = "prod"
        dsn = "service=prod"
        [[logs]]
        name = "app"
        paths = ["logs/*.log*", "/var/log/postgresql/*"]
        format = "stderr"
        prefix = "%m [%p] "
        tz = "Europe/Berlin"
        server = "prod"
        settle_minutes = 0.5
        [outputs]
        html = "out/%Y-%m-%d.html"
        latest = "symlink"
        [alerts]
        on = ["new"]
        [alerts.webhook]
        url_file = "secret"
        kind = "slack"
        [alerts.smtp]
        host = "mx"
        user = "me"
        password_env = "PG95_SMTP"
        from = "a@x.org"
        to = ["b@x.org"]
        [metrics]
        textfile = "pg95.prom"
        """,
    )
    assert made.history == str(tmp_path / "history.db")
    assert made.servers[0].dsn == "service=prod"
    log = made.logs[0]
    assert log.paths == [str(tmp_path / "logs/*.log*"), "/var/log/postgresql/*"]
    assert log.options.log_line_prefix == "%m [%p] "
    assert log.settle_seconds == 30
    assert made.outputs.patterns == {"html": str(tmp_path / "out/%Y-%m-%d.html")}
    assert made.alerts.webhook is not None
    assert made.alerts.webhook.url.file == tmp_path / "secret"
    assert made.alerts.mail is not None
    assert made.alerts.mail.port == 587
    assert made.textfile == tmp_path / "pg95.prom"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing to look at"),
        (LOGS + LOGS, "two of the name app"),
        ('[[logs]]\nname = "app"\npaths = []\n', "has to name files"),
        (LOGS + 'server = "x"', "no \\[\\[servers\\]\\] has that name"),
        (LOGS + 'colour = "x"', "colour is not known"),
        (LOGS + "settle_minutes = -1", "has to be 0 or more"),
        ('[[servers]]\nname="x"\ndsn="host=a password=b"', "has a password in it"),
        ('[[servers]]\nname="x"\ndsn="postgresql://me:secret@host/db"', "has a password in it"),
        ('[[servers]]\nname="x"\ndsn_env="PG95_NOT_SET"', "which is not set"),
        ('[[servers]]\nname="x"\ndsn_env="A"\ndsn="service=a"', "two answers"),
        (LOGS + '[history]\npath="postgresql://me:secret@host/db"', "has a password in it"),
        (LOGS + '[outputs]\nlatest="move"', "has to be one of copy, symlink, none"),
        (LOGS + '[outputs]\npdf="x"', "pdf is not known"),
        (LOGS + '[alerts]\non=["news"]', "known are target, new, regression"),
        (LOGS + '[alerts]\non=["new"]', "say whom to alert"),
        (HOOK + 'url="https://hooks.example.org/x"', "is a secret"),
        (HOOK + 'kind="slack"', "url_env or url_file is missing"),
        (HOOK + 'url_env="A"\nkind="teams"', "has to be one of slack, json"),
        (HOOK + 'url_env="A"\nurl_file="b"', "two answers"),
        (MAIL + 'password="x"', "is a secret"),
        (MAIL + 'user="x"', "go together"),
        (LOGS + '[metrics]\ntextfile="pg95.txt"', "has to end in .prom"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as raised:
        settings(tmp_path, text)
    assert "pg95.toml" in str(raised.value)
    assert "secret@" not in str(raised.value)
