"""One answer, from thumb to PDF: posted, stored, scored, gated, sealed, published, printed."""

import re
from datetime import timedelta
from html import unescape
from io import BytesIO

import pytest
from starlette.testclient import TestClient

from data.settings import Settings
from data.store import people
from data.store.engine import Stores, writing
from pipeline.jobs import run_due
from pipeline.published import open_published
from surveys.jobs import close_due, make_links
from surveys.questionnaire import ours
from surveys.web import create_app
from tests.conftest import KEY
from tests.support import cast

N_PAIRS = 12
OTHERS_SAY = [4, 5, 3, 4, 2, 5, 4, 3, 4, 5, 3]  # the mentees beside Ben; every mentor says 4 or 5


@pytest.fixture
def settings(home) -> Settings:
    return Settings(home=home, secret_key=KEY, organisation="Example Ltd")


def a_programme(stores: Stores) -> None:
    """Ada and Ben, and eleven more pairings."""
    with writing(stores.raw) as connection:
        cast.introduce(connection)
        for number in range(2, N_PAIRS + 1):
            for side in ("mentor", "mentee"):
                people.save_person(connection, cast.person(f"{side}{number}"))
            cast.pair(connection, f"P1{number:02d}", f"mentor{number}", f"mentee{number}")
        cast.open_round(connection)


def say(phone: TestClient, url: str, points: int) -> None:
    """Taps the same degree of agreement everywhere; reversed questions are tapped the other way round."""
    page = phone.get(url.replace("http://127.0.0.1:8051", "")).text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    fields = {name: unescape(value) for name, value in fields.items()}
    for name in dict.fromkeys(re.findall(r'type="radio" name="q:([^"]+)"', page)):
        question = ours().questions[name]
        if question.kind == "scale":
            fields[f"q:{name}"] = str(6 - points if question.reverse else points)
    assert phone.post("/answer", data=fields).url.path == "/thanks"


def answered(stores: Stores, settings: Settings, ben_says: int) -> None:
    """Everyone answers through the pages, Ben last; then the round closes and the pipeline runs."""
    a_programme(stores)
    links = make_links(stores, settings, "R1", cast.OPENS)
    others = iter(OTHERS_SAY)
    with TestClient(create_app(settings, stores, lambda: cast.NOON), base_url="http://127.0.0.1:8051") as phone:
        for link in sorted(links, key=lambda link: (link.side, link.name)):
            points = (4 + links.index(link) % 2) if link.side == "mentor" else None
            points = points or (ben_says if link.name == "Ben" else next(others))
            say(phone, link.url, points)
    close_due(stores, cast.CLOSES + timedelta(minutes=1))
    run_due(stores, key=KEY, now=cast.CLOSES + timedelta(hours=1))


def trust_of_mentees(settings: Settings) -> float:
    shown = open_published(settings).numbers("mentoring")
    rows = shown[(shown["metric"] == "trust") & (shown["side"] == "mentee") & (shown["view"] == "all")]
    assert len(rows) == 1
    assert bool(rows["shown"].iloc[0])
    assert rows["n"].iloc[0] == 5  # all twelve answered, and that is not told: five to twelve
    return float(rows["value"].iloc[0])


@pytest.mark.parametrize("ben_says", [1, 5])
def test_bens_answer_moves_the_published_number_by_its_share(sqlite_stores, settings, ben_says):
    answered(sqlite_stores, settings, ben_says)
    said = [*OTHERS_SAY, ben_says]
    mean = sum(25 * (points - 1) for points in said) / len(said)
    assert trust_of_mentees(settings) == pytest.approx(mean, abs=5.5)  # in steps of its error: 11 points


def test_the_same_number_stands_in_the_pdf_and_in_the_html_report(sqlite_stores, settings, tmp_path):
    from pypdf import PdfReader

    from dashboard.reports.write import write

    answered(sqlite_stores, settings, ben_says=2)
    value = f"{trust_of_mentees(settings):.0f}"
    files = write(
        open_published(settings),
        organisation="Example Ltd",
        programme_id="mentoring",
        language="en",
        formats=["html", "pdf"],
        out=tmp_path,
    )
    by_kind = {path.suffix: path.read_bytes() for path in files}
    pdf = " ".join(page.extract_text() for page in PdfReader(BytesIO(by_kind[".pdf"])).pages)
    html = unescape(re.sub(r"<[^>]+>", " ", by_kind[".html"].decode()))
    for text in (pdf, html):
        assert re.search(rf"Trust\s+mentees\s+{value}\b", re.sub(r"\s+", " ", text), re.IGNORECASE), text[:3000]
