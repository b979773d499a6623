"""Reads every RAPPORT_* variable and rapport.toml once, and freezes them.

The environment wins over the file, the file over the defaults. Secrets come from the
environment or from `secret.key` in the home, never from rapport.toml.
"""

import os
import re
import secrets
import socket
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from data.errors import RapportError

CHECKOUT = Path(__file__).resolve().parent.parent
LOOPBACK = ("127.0.0.1", "localhost", "::1")
ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+\.[^@\s<>,;:\"()\[\]\\]+")
SECRETS = ("secret_key", "smtp_password", "slack_url", "teams_url")  # never from a file that people copy about


class Settings(BaseSettings):
    """One installation's settings; every field can be set as RAPPORT_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="RAPPORT_", frozen=True, extra="forbid")

    home: Path
    database_url: str | None = Field(default=None, description="PostgreSQL URL; without one, SQLite files in the home")
    secret_key: str | None = Field(default=None, min_length=32, description="signs cookies and seals; made by `init`")
    organisation: str = Field(default="Our organisation", max_length=120)
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    host: str = "127.0.0.1"
    dashboard_port: int = Field(default=8050, ge=0, le=65535)
    answers_port: int = Field(default=8051, ge=0, le=65535)
    answers_url: str | None = Field(default=None, description="public address of the answering pages")
    dashboard_url: str | None = Field(default=None, description="public address of the dashboard")
    behind_proxy: bool = Field(default=False, description="a proxy ends TLS in front of both servers")
    max_upload_mb: int = Field(default=50, ge=1, le=1000)
    mail_from: str | None = Field(default=None, max_length=254, description="the address that mail comes from")
    mail_only_to: str = Field(default="", description="staging: only these addresses and @domains, comma between")
    mail_daily_cap: int = Field(default=5000, ge=1, description="messages in 24 hours, to stay on good terms")
    smtp_host: str | None = Field(default=None, description="without one, mail is written to the home's outbox folder")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: str | None = None
    report_readers: str = Field(default="", description="addresses that each new report is sent to, comma between")
    report_language: str = Field(default="en", pattern=r"^[a-z]{2}$")
    teams_url: str | None = Field(default=None, description="apprise URL of a workflow, jsons://…&:to={email}")
    slack_url: str | None = Field(default=None, description="apprise URL of a bot, e.g. slack://TOKEN/{email}")

    @field_validator("database_url")
    @classmethod
    def _only_postgresql(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("postgresql"):
            raise ValueError("expected a postgresql:// URL")
        return value

    @field_validator("mail_from")
    @classmethod
    def _one_address(cls, value: str | None) -> str | None:
        if value is not None and not ADDRESS.fullmatch(value):
            raise ValueError("expected one plain e-mail address")
        return value

    @property
    def readers(self) -> tuple[str, ...]:
        """Who gets each new report."""
        return tuple(each.strip() for each in self.report_readers.split(",") if each.strip())

    @field_validator("report_readers")
    @classmethod
    def _addresses(cls, value: str) -> str:
        wrong = [each.strip() for each in value.split(",") if each.strip() and not ADDRESS.fullmatch(each.strip())]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is not an e-mail address")
        return value

    @property
    def may_mail_in_the_clear(self) -> bool:
        """Mail without TLS is for a server on this machine."""
        return self.smtp_security != "none" or self.smtp_host in LOOPBACK

    @property
    def public_answers_url(self) -> str:
        """The address that invitations carry."""
        return self.answers_url or f"http://{self.host}:{self.answers_port}"

    @property
    def public_dashboard_url(self) -> str:
        """The address that mails to the programme team carry."""
        return (self.dashboard_url or f"http://{self.host}:{self.dashboard_port}").rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether cookies may demand TLS."""
        return self.behind_proxy or self.host not in LOOPBACK


def default_home() -> Path:
    """`data/local/` in a checkout, `./rapport-home` elsewhere."""
    is_checkout = (CHECKOUT / "pyproject.toml").exists()
    return CHECKOUT / "data" / "local" if is_checkout else Path.cwd() / "rapport-home"


def load(home: Path | None = None) -> Settings:
    """Read the settings for a home; raises RapportError naming the bad field."""
    where = home or Path(os.environ.get("RAPPORT_HOME") or default_home())
    where = where.expanduser().resolve()
    from_file = _read_file(where / "rapport.toml")
    in_environment = {name.removeprefix("RAPPORT_").lower() for name in os.environ}
    kept = {key: value for key, value in from_file.items() if key not in in_environment}
    for name in SECRETS:
        if name in kept:
            place = "the environment or secret.key" if name == "secret_key" else "the environment"
            raise RapportError(f"{name} belongs in {place}, not rapport.toml.")
    if "secret_key" not in in_environment and (where / "secret.key").exists():
        kept["secret_key"] = (where / "secret.key").read_text(encoding="ascii").strip()
    try:
        return Settings(**{**kept, "home": where})
    except ValidationError as error:
        raise RapportError(_sentence(error)) from None


def _read_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RapportError(f"{path.name} is not valid TOML: {error}.") from None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "settings"
    return f"The setting {field} is not usable: {first['msg']}."


TEMPLATE = """\
# Settings of one Rapport installation. Every line can also be given as RAPPORT_<NAME>.
# Secrets (RAPPORT_SECRET_KEY) come from the environment or from secret.key beside this file.

# organisation = "Example Ltd"
# currency = "EUR"
# host = "127.0.0.1"           # anything else needs TLS in front: behind_proxy = true
# dashboard_port = 8050
# answers_port = 8051
# answers_url = "https://pulse.example.org"
# dashboard_url = "https://mentoring.example.org"
# behind_proxy = false
# database_url = "postgresql+psycopg://rapport@localhost/rapport"

# mail_from = "mentoring@example.org"
# smtp_host = "smtp.example.org"   # without one, mail is written to the folder outbox/ beside this file
# smtp_port = 587
# smtp_security = "starttls"       # or tls; none is for a server on this machine
# smtp_user = "mentoring"          # the password: RAPPORT_SMTP_PASSWORD
# report_readers = "dan@example.org" # who gets each new report
# mail_only_to = "@example.org"    # staging: nobody else is written to
"""


def make_home(home: Path) -> bool:
    """Create the home, a commented rapport.toml and a secret; true where the home was new."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not (home / "rapport.toml").exists()
    if is_new:
        (home / "rapport.toml").write_text(TEMPLATE, encoding="utf-8")
    key = home / "secret.key"
    if not key.exists():
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return is_new


def now() -> datetime:
    """The clock; the only other place that may read it is the front door."""
    return datetime.now(UTC)


def refuse_plain_http(settings: Settings) -> None:
    """A server that others reach needs TLS in front of it, or anyone on the way reads the answers."""
    if settings.host not in LOOPBACK and not settings.behind_proxy:
        raise RapportError(
            f"Rapport does not serve plain HTTP on {settings.host}; put a proxy with TLS in front and set behind_proxy."
        )


def refuse_taken_port(settings: Settings, name: str) -> None:
    """A port that another program holds is said before anything starts; `name` is the setting's."""
    port = getattr(settings, name)
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, port))
        except OSError:
            raise RapportError(
                f"Another program uses port {port} on {settings.host}; stop it, or set {name} to a free port."
            ) from None
