"""Checks before the first round whether mail will arrive: the server, the sender, the domain, the address list."""

from datetime import datetime
from smtplib import SMTPException

import dns.exception
import dns.resolver

from data.doctor import Finding
from data.errors import RapportError
from data.settings import Settings
from data.store.engine import Connection
from data.store.outbox import Reply, bounced
from data.store.people import people_of, programmes_kept
from surveys import letters
from surveys.channel import Letter
from surveys.channels.email import Email
from surveys.letters import About

LOOKUP_SECONDS = 5.0
EXAMPLE_LINK = "/a/this-link-is-an-example"


def check(connection: Connection, settings: Settings) -> list[Finding]:
    """Every line, in the order in which things go wrong."""
    if settings.smtp_host is None:
        return [Finding(what="server", verdict="red", said="smtp_host is not set: mail goes to the outbox folder.")]
    return [_server(settings), _spf(settings), _links(settings), _addresses(connection), _bounces(connection)]


def _server(settings: Settings) -> Finding:
    try:
        channel = Email(settings)
        channel.check()
        channel.close()
    except (RapportError, SMTPException, OSError, ValueError) as error:
        said = str(error) if isinstance(error, RapportError) else type(error).__name__
        return Finding(what="server", verdict="red", said=f"The mail server cannot be used: {said}")
    how = "with TLS" if settings.smtp_security != "none" else "on this machine"
    return Finding(what="server", verdict="green", said=f"The mail server takes our sign-in {how}.")


def _spf(settings: Settings) -> Finding:
    """Whether the sender's domain says which servers may send for it."""
    domain = letters.sender(settings).rpartition("@")[2]
    try:
        found = dns.resolver.resolve(domain, "TXT", lifetime=LOOKUP_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Finding(what="SPF", verdict="red", said=f"{domain} names no servers that may send for it.")
    except (dns.exception.DNSException, OSError) as error:
        said = f"{domain} could not be looked up from here ({type(error).__name__})."
        return Finding(what="SPF", verdict="unknown", said=said)
    texts = [b"".join(record.strings).decode("ascii", "replace") for record in found]
    if any(text.lower().startswith("v=spf1") for text in texts):
        return Finding(what="SPF", verdict="green", said=f"{domain} names the servers that may send for it.")
    return Finding(what="SPF", verdict="red", said=f"{domain} names no servers that may send for it.")


def _links(settings: Settings) -> Finding:
    if settings.answers_url is None or not settings.answers_url.startswith("https://"):
        said = "answers_url is not an https address: links in mails would not open from outside."
        return Finding(what="links", verdict="red", said=said)
    return Finding(what="links", verdict="green", said=f"Links lead to {settings.answers_url}.")


def _addresses(connection: Connection) -> Finding:
    known = {
        person.person_id: person.email
        for programme in programmes_kept(connection)
        for person in people_of(connection, programme.programme_id)
    }
    missing = sum(not email for email in known.values())
    if missing:
        return Finding(what="addresses", verdict="red", said=f"{missing} of {len(known)} people have no address.")
    return Finding(what="addresses", verdict="green", said=f"All {len(known)} people have an address.")


def _bounces(connection: Connection) -> Finding:
    n = len(bounced(connection))
    said = f"{n} addresses were refused for good; `rapport mail bounces` names them." if n else "No address bounced."
    return Finding(what="bounces", verdict="red" if n else "green", said=said)


def example(kind: str, language: str, settings: Settings, now: datetime, to: str) -> Letter:
    """A letter of one kind with made-up names, and links that open nothing."""
    if kind not in letters.KINDS:
        raise RapportError(f"There is no letter {kind}; choose one of {', '.join(letters.KINDS)}.")
    reply = Reply(
        round_id="",
        said="it is hard to find time to meet",
        will="keep an hour a month free of meetings",
        written_by="",
        written_at=now,
    )
    about = About(
        kind=kind,
        name="Ben Example",
        language=language,
        others=("Ada Example",),
        closes_at=now,
        reply=reply if kind in letters.WITH_REPLY else None,
    )
    base = settings.public_answers_url
    return letters.seal(
        letters.write(about, organisation=settings.organisation, now=now),
        to=to,
        name="Ben Example",
        header_id=letters.header_id(f"example:{kind}:{language}:{now.isoformat()}", settings),
        answer=f"{base}{EXAMPLE_LINK}",
        unsubscribe=f"{base}/u/this-link-is-an-example",
        settings=settings,
    )
