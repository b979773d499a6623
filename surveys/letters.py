"""Writes what a message says, and makes the same mail of it every time it is sent."""

import hashlib
import hmac
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from data.errors import RapportError
from data.settings import ADDRESS, Settings
from data.store.outbox import Reply
from surveys.channel import Letter, wire
from surveys.words import RIGHT_TO_LEFT, best, day, filled

ROOM = Path(__file__).resolve().parent
# Where the links go when the letter is sent; no name can hold these signs.
ANSWER, UNSUBSCRIBE = "\x1aanswer\x1a", "\x1aunsubscribe\x1a"
KINDS = ("invitation", "reminder", "thanks", "missed")
WITH_LINK = ("invitation", "reminder")
WITH_REPLY = ("invitation", "thanks")
# Line breaks, control signs, and what would turn the reading direction of all that follows.
UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a letter says before its links are in it; kept with the message, so that it can be sent again."""

    subject: str
    text: str
    html: str
    written_at: datetime


@dataclass(frozen=True, kw_only=True)
class About:
    """Whom a letter is for and what it is about. `others`: the people at the other side of each pairing."""

    kind: str
    name: str
    language: str
    others: tuple[str, ...]
    closes_at: datetime  # where the person lives
    reply: Reply | None = None


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """Language → key → text."""
    languages: Mapping[str, Mapping[str, str]] = tomllib.loads((ROOM / "letters.toml").read_text(encoding="utf-8"))
    return languages


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def write(about: About, *, organisation: str, now: datetime) -> Content:
    """The letter in its reader's language, with places for the links."""
    language = best(about.language)
    said = {key: filled(text, _values(about, language, organisation)) for key, text in words()[language].items()}
    subject = said[f"{about.kind}_subject"]
    values = {
        **said,
        "language": language,
        "direction": "rtl" if language in RIGHT_TO_LEFT else "ltr",
        "subject": subject,
        "opening": said[about.kind],
        "link": ANSWER if about.kind in WITH_LINK else "",
        "link_label": said["link"],
        "reply": said["reply"] if about.reply else "",
        "reply_lines": [said["said"], said["will"]] if about.reply else [],
        "unsubscribe_link": UNSUBSCRIBE,
        "organisation": _one_line(organisation),
    }
    text, html = (_environment().get_template(f"letter.{kind}").render(values) for kind in ("txt", "html"))
    return Content(subject=subject, text=text, html=html, written_at=now.replace(microsecond=0))


def _values(about: About, language: str, organisation: str) -> dict[str, str]:
    others = _joined([_one_line(name) for name in about.others], words()[language]["and"])
    return {
        "name": _one_line(about.name),
        "others": others,
        "others_first": others[:1].upper() + others[1:],
        "organisation": _one_line(organisation),
        "date": day(about.closes_at, language),
        "said": _plain(about.reply.said) if about.reply else "",
        "will": _plain(about.reply.will) if about.reply else "",
    }


def _joined(names: list[str], last: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def header_id(message_id: str, settings: Settings) -> str:
    """The Message-ID: the same at every attempt. Mail servers log it; without the key nobody can tell whose it is."""
    keyed = hmac.new(f"mail {settings.secret_key}".encode(), message_id.encode(), "sha256")
    return f"<{keyed.hexdigest()[:32]}@{_domain(settings)}>"


def seal(
    content: Content, *, to: str, name: str, header_id: str, answer: str, unsubscribe: str, settings: Settings
) -> Letter:
    """The letter as it is sent: the same arguments give the same bytes."""
    links = {ANSWER: answer, UNSUBSCRIBE: unsubscribe}
    text, html = (_linked(part, links) for part in (content.text, content.html))
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(settings.organisation, sender(settings))
    mail["To"] = _address(name, to)
    mail["Subject"] = _one_line(content.subject)
    mail["Date"] = format_datetime(content.written_at)
    mail["Message-ID"] = header_id
    mail["Auto-Submitted"] = "auto-generated"
    mail["List-Unsubscribe"] = f"<{unsubscribe}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    mail.set_boundary(_boundary(header_id))
    return Letter(header_id=header_id, to=to, subject=content.subject, text=text, mime=mail.as_bytes())


def enclosing(path: Path, *, to: str, settings: Settings) -> Letter:
    """A report for one of its readers; the same file gives the same bytes."""
    own_id = header_id(f"report:{path.name}:{to}", settings)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(settings.organisation, sender(settings))
    mail["To"] = _address("", to)
    said = words()[best(settings.report_language)]
    values = {"organisation": settings.organisation, "file": path.name}
    subject, text = (filled(said[key], values) for key in ("report_subject", "report"))
    mail["Subject"] = _one_line(subject)
    mail["Date"] = format_datetime(datetime.fromtimestamp(int(path.stat().st_mtime), UTC))
    mail["Message-ID"] = own_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{text}\n", cte="quoted-printable")
    mail.add_attachment(path.read_bytes(), maintype="application", subtype="pdf", filename=path.name)
    mail.set_boundary(_boundary(own_id))
    return Letter(header_id=own_id, to=to, subject=subject, text=text, mime=mail.as_bytes())


def plain(subject: str, text: str, *, to: str, key: str, now: datetime, settings: Settings) -> Letter:
    """A few lines to one reader; the same key gives the same Message-ID."""
    own_id = header_id(f"note:{key}:{to}", settings)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(settings.organisation, sender(settings))
    mail["To"] = _address("", to)
    mail["Subject"] = _one_line(subject)
    mail["Date"] = format_datetime(now.replace(microsecond=0))
    mail["Message-ID"] = own_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(f"{text}\n", cte="quoted-printable")
    return Letter(header_id=own_id, to=to, subject=subject, text=text, mime=mail.as_bytes())


def _boundary(header_id: str) -> str:
    return hashlib.sha256(f"boundary {header_id}".encode()).hexdigest()[:40]


def _linked(text: str, links: Mapping[str, str]) -> str:
    """One pass. Whatever a name or a reply holds, nobody's links but the reader's own can come in."""
    return re.sub("|".join(map(re.escape, links)), lambda found: links[found.group()], text)


def _address(name: str, address: str) -> Address:
    if not ADDRESS.fullmatch(address) or not address.rpartition("@")[0].isascii():
        raise RapportError("Expected one plain e-mail address.")
    try:
        local, _, domain = wire(address).rpartition("@")
        return Address(display_name=_one_line(name), username=local, domain=domain)
    except (UnicodeError, ValueError, IndexError):
        raise RapportError("This e-mail address cannot be written to.") from None


def sender(settings: Settings) -> str:
    """The address that mail comes from; written to a folder, it needs none of ours."""
    return settings.mail_from or "rapport@localhost.localdomain"


def _domain(settings: Settings) -> str:
    return wire(sender(settings)).rpartition("@")[2]


def _one_line(text: str) -> str:
    """A header or a greeting that cannot begin another line."""
    return _plain(text)[:200]


def _plain(text: str) -> str:
    return UNSENDABLE.sub(" ", text).strip()
