"""Letters: what each says in both languages, and that nobody's name can make one say something else."""

import email
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import cast

import pytest

from data.errors import RapportError
from data.settings import Settings
from data.store.outbox import Reply
from surveys import letters
from surveys.channel import Letter
from surveys.letters import KINDS, WITH_LINK, About
from surveys.words import all_words
from tests.conftest import KEY

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
CLOSES = datetime(2026, 3, 12, 22, 59, tzinfo=UTC)
ANSWER, UNSUBSCRIBE = "https://pulse.example.org/a/AAA_aaa-1", "https://pulse.example.org/u/UUU_uuu-1"
LONG = "x" * 300
HOSTILE = (
    "Ada\r\nBcc: eve@cast.example",
    "Ada\nSubject: free money",
    "Ada\x85X-Evil: 1",
    "Ada\u2028X-Evil: 1",
    "Ada\x00\x1b[2J",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{date}",
    "{answer-link}",
    "{unsubscribe-link}",
    "\u202eadA",
    'Ada "the Boss" O\'Neil, PhD <ada@evil.example>',
    "=?utf-8?q?Ada?=",
    "李 小龍",
    LONG,
)


def settings(**more) -> Settings:
    own = {"home": "/nowhere", "secret_key": KEY, "organisation": "Example Ltd", "mail_from": "m@example.org"}
    return Settings(**{**own, **more})


def about(kind: str = "invitation", language: str = "en", others: tuple[str, ...] = ("Ada Okafor",), **more) -> About:
    return About(kind=kind, language=language, others=others, closes_at=CLOSES, **{"name": "Ben Lindqvist", **more})


def sealed(of: About, to: str = "ben@cast.example", of_settings: Settings | None = None) -> Letter:
    chosen = of_settings or settings()
    content = letters.write(of, organisation=chosen.organisation, now=NOW)
    return letters.seal(
        content,
        to=to,
        name=of.name,
        header_id=letters.header_id(f"{of.kind} {of.language}", chosen),
        answer=ANSWER,
        unsubscribe=UNSUBSCRIBE,
        settings=chosen,
    )


def parsed(letter: Letter) -> EmailMessage:
    return cast(EmailMessage, email.message_from_bytes(letter.mime, policy=default))


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


class Read(HTMLParser):
    """What a reader of the HTML sees and where its links lead; what it could load or run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self._is_in_body = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self._is_in_body |= tag == "body"
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        if self._is_in_body:
            self.said.append(data)

    @property
    def text(self) -> str:
        return squeezed(" ".join(self.said))


def squeezed(text: str) -> str:
    return " ".join(text.split())


LETTER_TAGS = {"html", "head", "meta", "title", "body", "div", "p", "a", "strong", "br", "h1"}
REPLY = Reply(round_id="R1", said="little time", will="free an hour a month", written_by="HR", written_at=NOW)


def test_letters_speak_every_language_of_the_pages():
    assert set(letters.words()) == set(all_words())
    assert set(letters.words()["de"]) == set(letters.words()["en"])


@pytest.mark.parametrize("others", [("Ada Okafor",), ("Ada Okafor", "Cem Aydın")], ids=["one", "two"])
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("kind", KINDS)
def test_text_and_html_carry_the_same_facts(kind, language, others):
    mail = parsed(sealed(about(kind, language, others, reply=REPLY if kind in letters.WITH_REPLY else None)))
    text, html = squeezed(part(mail, "plain")), Read(part(mail, "html"))
    words = letters.words()[language]
    joined = f" {words['and']} ".join(others)
    for fact in ("Ben Lindqvist", joined, "Example Ltd", UNSUBSCRIBE, words["unsubscribe_note"]):
        assert fact in text
        assert fact in html.text
    day = "12. März 2026" if language == "de" else "12 March 2026"
    is_asking = kind in WITH_LINK
    assert (day in text, day in html.text, ANSWER in text) == (is_asking,) * 3
    assert html.links == ([ANSWER] if is_asking else []) + [UNSUBSCRIBE]
    has_reply = kind in letters.WITH_REPLY
    for fact in (words["reply"], "little time", "free an hour a month"):
        assert (fact in text, fact in html.text) == (has_reply, has_reply)
    assert html.tags <= LETTER_TAGS
    assert not re.search(r"\{[\w-]+\}", text + html.text)
    # Every sentence of the one is in the other; only the label of the link is the button's in HTML.
    sentences = [squeezed(each) for each in part(mail, "plain").splitlines() if each.strip() not in ("", "--", ANSWER)]
    missing = [each for each in sentences if each not in html.text and each != words["link"]]
    assert missing == []
    assert f'<html lang="{language}" dir="ltr">' in part(mail, "html")


@pytest.mark.parametrize("field", ["name", "other", "organisation"])
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_makes_a_letter_say_something_else(hostile, field):
    of = about(name=hostile) if field == "name" else about(others=(hostile if field == "other" else "Ada",))
    chosen = settings(organisation=hostile[:120]) if field == "organisation" else settings()
    mail, plain = parsed(sealed(of, of_settings=chosen)), parsed(sealed(about(others=("Ada",))))
    assert mail.keys() == plain.keys()
    assert mail["To"].addresses[0].addr_spec == "ben@cast.example"
    assert len(mail["To"].addresses) == len(mail["From"].addresses) == 1
    assert mail["From"].addresses[0].addr_spec == "m@example.org"
    html = Read(part(mail, "html"))
    assert html.tags <= LETTER_TAGS
    assert not [name for name in html.attributes if name.startswith("on") or name == "src"]
    assert set(html.links) == {ANSWER, UNSUBSCRIBE}
    assert set(re.findall(r"https?://\S+", part(mail, "plain"))) == {ANSWER, UNSUBSCRIBE}
    text = part(mail, "plain")
    assert text.count("\n") == part(plain, "plain").count("\n")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text + part(mail, "html"))
    assert len(str(mail["Subject"])) <= 200


def test_a_name_is_shown_as_it_is():
    mail = parsed(sealed(about(name="{date}", others=("<b>Ada</b> & Søn",))))
    assert "Hello {date}," in part(mail, "plain")
    assert "<b>Ada</b> & Søn" in part(mail, "plain")
    assert "&lt;b&gt;Ada&lt;/b&gt; &amp; Søn" in part(mail, "html")
    assert str(mail["Subject"]) == "Your mentoring with <b>Ada</b> & Søn: how is it going?"


@pytest.mark.parametrize(
    "to",
    [
        "ben@cast.example\r\nBcc: eve@cast.example",
        "ben@cast.example, eve@cast.example",
        "Ben <ben@cast.example>",
        "ben",
        "bén@cast.example",
        "ben@" + "b" * 70 + ".example",
        "",
    ],
)
def test_what_is_not_one_plain_address_is_not_written_to(to):
    with pytest.raises((RapportError, UnicodeError)):
        sealed(about(), to=to)


def test_a_domain_in_another_script_is_written_as_mail_servers_take_it():
    letter = sealed(about(), to="ben@bücher.example", of_settings=settings(mail_from="m@bücher.example"))
    mail = parsed(letter)
    assert mail["To"].addresses[0].addr_spec == "ben@xn--bcher-kva.example"
    assert str(mail["Message-ID"]).endswith("@xn--bcher-kva.example>")
    assert letter.mime.isascii()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_arguments_give_the_same_bytes(kind):
    first, again = sealed(about(kind)), sealed(about(kind))
    assert first == again
    assert sealed(about(kind, name="Bo")).mime != first.mime
    assert all(len(line) <= 998 for line in sealed(about(kind, others=(LONG, LONG))).mime.splitlines())


def test_a_message_id_is_stable_and_tells_nothing():
    ours, theirs = settings(), settings(secret_key="z" * 48)
    assert letters.header_id("R1 ben thanks", ours) == letters.header_id("R1 ben thanks", ours)
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.org>", letters.header_id("R1 ben thanks", ours))
    # A mail server's log holds it; whoever reads that can guess all the rest, but not the key.
    assert letters.header_id("R1 ben thanks", ours) != letters.header_id("R1 ben thanks", theirs)


def test_unsubscribing_takes_one_click():
    mail = parsed(sealed(about()))
    assert mail["List-Unsubscribe"] == f"<{UNSUBSCRIBE}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_a_report_is_the_same_bytes_and_its_mail_has_a_date(tmp_path):
    path = tmp_path / "rapport-R1-de.pdf"
    path.write_bytes(b"%PDF-1.7 \xff made up")
    chosen = settings(report_language="de", organisation="Büro\r\nBcc: eve@cast.example")
    first, again = (letters.enclosing(path, to="dan@cast.example", settings=chosen) for _ in range(2))
    assert first.mime == again.mime
    assert first.mime.isascii()
    mail = parsed(first)
    assert mail["Bcc"] is None
    assert mail["Date"].datetime.timestamp() == int(path.stat().st_mtime)
    (attached,) = mail.iter_attachments()
    assert (attached.get_content_type(), attached.get_content()) == ("application/pdf", path.read_bytes())


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_letter_reads_well_on_a_narrow_phone(chromium, scheme):
    from axe_playwright_python.sync_playwright import Axe

    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = context.new_page()
    for language in ("en", "de"):
        for kind in KINDS:
            reply = REPLY if kind in letters.WITH_REPLY else None
            page.set_content(part(parsed(sealed(about(kind, language, ("Ada Okafor", LONG), reply=reply))), "html"))
            found = Axe().run(page).response["violations"]
            assert [f"{each['id']}: {each['nodes'][0]['html'][:90]}" for each in found] == []
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (kind, language)
            assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 16
            if kind in WITH_LINK:
                assert page.locator("a").first.bounding_box()["height"] >= 44
    context.close()
