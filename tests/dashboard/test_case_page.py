"""The business case on screen and on paper: a verdict, "cannot tell yet", and no employment file at all."""

import io
import json
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pypdf import PdfReader

from dashboard.app import create_app
from dashboard.case import PROTOCOL, case_told, protocol, verdict
from dashboard.case_figures import effects_chart, inputs_table, source_table, tornado_chart, waves_chart
from dashboard.findings import Numbers, numbers_of
from dashboard.reports import html, pdf
from dashboard.reports.report import report_of
from dashboard.words import LANGUAGES, Words
from data.demo.workforce_tables import Workforce, case_decided, make_workforce
from data.settings import Settings
from data.store.accounts import open_accounts
from data.store.engine import migrate, open_stores
from pipeline.business_case.assumptions import assumptions, listed
from pipeline.business_case.case import business_case
from pipeline.business_case.plan import CASE, read_case
from pipeline.business_case.roster import find_enrolment
from pipeline.business_case.telling import CANNOT_TELL, NOTES, about, rows
from pipeline.published import PublishedStore, open_published
from tests.dashboard.conftest import KEY, PASSWORD, PEOPLE, Made, Reader, sign_in
from tests.dashboard.made_releases import NOW, make_release, rows_of
from tests.dashboard.test_screens_in_browser import browse, enter, violations
from tests.support.browser import served

TEXTS = ("department", "location", "grade", "leave_type")


def told(company: Workforce) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows and the words of a made-up company's case, as a release has them."""
    plan, given = read_case({CASE: case_decided(company)})
    named = {"person_id": "employee_key"}
    employment = _dated(company.employment.rename(columns=named), "hired_on", "valid_from", "left_on")
    employment[list(TEXTS)] = employment[list(TEXTS)].fillna("").astype("str")
    pairings = company.pairings.rename(columns={"mentor_id": "mentor", "mentee_id": "mentee"})
    active = pairings[pairings["ended_on"].isna()]
    grade = company.employment.drop_duplicates("person_id", keep="last").set_index("person_id")["grade"]
    found = business_case(
        employment=employment,
        engagement=_dated(company.engagement.rename(columns=named), "measured_on"),
        enrolment=find_enrolment(pairings),
        grades=grade.loc[active["mentee"].unique()].value_counts().to_dict(),
        n_mentors=active["mentor"].nunique(),
        ends=company.ends,
        plan=plan,
        given=given,
    )
    registered = plan.registered()
    words = {"plan": registered, "registered": {**registered, "registered_at": "2026-01-05"}, "deviations": []}
    return rows(found), json.loads(json.dumps({**about(found, given), **words}))


def _dated(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return table.assign(**{name: pd.to_datetime(table[name]).astype("datetime64[s]") for name in columns})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Four programmes: "large" has a verdict, "small" and "tiny" cannot tell yet, "without" has no employment file."""
    settings = Settings(home=tmp_path_factory.mktemp("case"), secret_key=KEY, organisation="Example <Ltd>")
    stores = open_stores(settings)
    migrate(stores)
    sizes = {"large": (20_000, 4), "small": (1_200, 2), "tiny": (400, 2)}
    for name, (people, years) in sizes.items():
        company = make_workforce(today=date(2026, 1, 5), rng=np.random.default_rng(3), people=people, years=years)
        case_rows, case = told(company)
        make_release(stores, 1, key=KEY, programme=name, name=name, rows=[*rows_of(1), *case_rows], case=case)
    make_release(stores, 1, key=KEY, programme="without", name="without")
    accounts = open_accounts(settings)
    for email, (role, _) in PEOPLE.items():
        accounts.add(email=email, role=role, programme_id=None, password=PASSWORD, now=NOW)
    published = open_published(settings)
    yield Made(settings, published, accounts, create_app(settings, published, accounts, clock=lambda: NOW).server)
    stores.dispose()


def numbers(made: Made, name: str) -> Numbers:
    store: PublishedStore = made.published
    programme = next(each for each in store.programmes() if each.id == name)
    return numbers_of(programme, store.releases(name), store.numbers(name))


@pytest.fixture
def dan(made: Made) -> Reader:
    client = made.server.test_client()
    assert sign_in(client, "dan@cast.example").status_code == 303
    return Reader(client)


def test_a_verdict_says_what_the_data_fit_with_its_claim(made: Made) -> None:
    case = case_told(numbers(made, "large"), Words("en"))
    assert case is not None
    said = verdict(case)
    assert said[0].text == "Mentoring keeps people."
    assert {each.claim for each in said} == {"causal under the printed assumptions", "describes"}
    assert [each.form for each in (effects_chart(case), waves_chart(case), tornado_chart(case)) if each] == [
        "ranges"
    ] * 3
    assert source_table(case) is not None


@pytest.mark.parametrize("name", ["small", "tiny"])
def test_cannot_tell_yet_names_no_benefit_and_no_cause(made: Made, name: str) -> None:
    case = case_told(numbers(made, name), Words("en"))
    assert case is not None
    said = " ".join(each.text for each in verdict(case))
    assert "cannot be told yet" in said
    assert "chance that it pays" not in said
    assert tornado_chart(case) is None
    assert (effects_chart(case) is None) == (name == "tiny")
    assert case.about["decision"] in ("allocate_places_by_lottery", "judge_by_other_aims_than_exits", "too_few")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ["large", "small", "tiny", "without"])
def test_a_leader_reads_the_page_in_every_state(dan: Reader, name: str, lang: str) -> None:
    words, text = Words(lang), dan.text("/business-case", f"?programme={name}&lang={lang}")
    key = "business_case_none" if name == "without" else "case_h_decide"
    assert json.dumps(words(key))[1:-1] in text


def test_its_download_is_the_rows_of_the_case_and_none_else(dan: Reader) -> None:
    lines = dan.client.get("/business-case.csv?programme=large").get_data(as_text=True).splitlines()
    assert len(lines) > 40
    assert all(",case_" in line for line in lines[1:])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_report_says_the_same_and_lists_every_input_with_its_owner(made: Made, lang: str) -> None:
    of = numbers(made, "large")
    words, report = Words(lang), report_of(of, organisation="Example <Ltd>", language=lang)
    case = case_told(of, words)
    assert case is not None
    page = html.render(report).decode("utf-8")
    first = report.sections[0].blocks[0].sentences[0].text
    assert first == words("causal_lower")
    assert len(inputs_table(case).rows) == len(case.about["assumptions"])
    assert words("case_default") in page
    assert "Finance (demo)" in page
    assert pdf.render(report) == pdf.render(report)


def test_a_report_without_an_employment_file_has_no_number_about_retention(made: Made) -> None:
    report = report_of(numbers(made, "without"), organisation="Example", language="en")
    assert Words("en")("report_retention") in [section.title for section in report.sections]
    assert "case_" not in html.render(report).decode("utf-8")


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_axe_finds_nothing_and_nothing_is_too_wide(made: Made, chromium: Any, width: int, scheme: str) -> None:
    with served(made.server) as address:
        watched = browse(chromium, address, width, scheme)
        enter(watched)
        for name in ("large", "small", "tiny", "without"):
            watched.go(f"/business-case?programme={name}")
            assert violations(watched.page) == [], name
            assert watched.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, name


def test_a_number_without_an_answer_says_the_same_in_a_release_and_on_the_page() -> None:
    assert Words("en")("case_withheld") == CANNOT_TELL


def test_the_protocol_is_printed_as_it_was_registered_and_in_german_too(made: Made) -> None:
    english, german = (case_told(numbers(made, "large"), Words(language)) for language in ("en", "de"))
    assert english is not None
    assert german is not None
    registered = english.about["registered"]["protocol"]["mentee"]
    assert [text for _, text in protocol(english)] == [registered[name] for name in PROTOCOL]
    assert set(PROTOCOL) == set(registered)
    assert not {text for _, text in protocol(german)} & set(registered.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_thing_that_was_counted_on_the_way_has_its_words(language: str) -> None:
    words = Words(language)
    said = {words(f"case_note_{key}") for key in NOTES.values()}
    assert len(said) == len(NOTES)
    assert (said == set(NOTES)) == (language == "en")


def test_no_two_columns_of_a_table_touch(made: Made) -> None:
    report = report_of(numbers(made, "large"), organisation="Example", language="en")
    pages = PdfReader(io.BytesIO(pdf.render(report))).pages
    printed = "\n".join(page.extract_text(extraction_mode="layout") for page in pages)
    tables = [block.table for section in report.sections for block in section.blocks if block.table is not None]
    rows = [(*row.heading, *row.cells) for table in tables for row in table.rows]
    beside = {
        (left, right) for row in rows for left, right in pairwise(row) if len(left + right) > 6 and " " not in right
    }
    assert len(beside) > 50
    assert [pair for pair in beside if "".join(pair) in printed] == []


def test_the_inputs_are_told_in_german_as_they_are_kept_in_english(made: Made) -> None:
    kept = {each["key"]: each for each in listed(assumptions())}
    english, german = (case_told(numbers(made, "large"), Words(language)) for language in ("en", "de"))
    assert english is not None
    assert german is not None
    for each, said, also in zip(
        english.about["assumptions"], inputs_table(english).rows, inputs_table(german).rows, strict=True
    ):
        assert said.heading != also.heading or each["key"] == "training"
        if each["value"] is None:
            assert kept[each["key"]]["needs"] in said.sentence
            assert kept[each["key"]]["needs"] not in also.sentence
        elif each["is_default"]:
            assert (said.cells[2], said.cells[4]) == (kept[each["key"]]["unit"], kept[each["key"]]["source"])
            assert said.cells[2] != also.cells[2]
            assert said.cells[4] != also.cells[4]
        else:
            assert said.cells[4:] == also.cells[4:] == (each["source"], each["owner"])
