"""Two sides and quality: the numbers behind the scores, in words, and designed states where they are not there yet."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from dashboard.app import create_app
from dashboard.charts.paper import svg
from dashboard.evidence import evidence
from dashboard.findings import readings
from dashboard.pages.two_sides import _goes_with, _is_clear
from dashboard.panels import both_ends
from dashboard.words import Words
from data.settings import Settings
from data.store.accounts import open_accounts
from data.store.engine import migrate, open_stores
from pipeline.published import PROGRAMME, WITHHELD, open_published
from tests.dashboard.conftest import PASSWORD, Made, Reader, sign_in
from tests.dashboard.made_installation import numbers_in
from tests.dashboard.made_releases import NOW, make_release, rows_of
from tests.dashboard.test_scope import drawn

KEY = "k" * 48
Row = dict[str, Any]


def row(metric: str, group: str, side: str, numbers: tuple[float, float, float] | None, **more: str) -> Row:
    """One row of evidence; without numbers a withheld one."""
    value, low, high = numbers or (None, None, None)
    where = {"view": PROGRAMME if group == PROGRAMME else "construct", "group": group, "side": side, "metric": metric}
    told = {"unit": "points", "claim": "describes", **more, "value": value, "low": low, "high": high}
    shown = numbers is not None
    return {**where, **told, "n": 90 if shown else None, "shown": shown, "reason": "" if shown else WITHHELD}


EVIDENCE = [
    row("perception_gap", "trust", "both", (7.0, 3.0, 11.0)),
    row("smallest_gap", "trust", "both", (6.0, 6.0, 6.0)),
    row("gap_agreement", "trust", "both", (0.41, 0.2, 0.58), unit="coefficient"),
    row("perception_gap", "satisfaction", "both", (1.0, -4.0, 6.0)),
    row("perception_gap", "fit", "both", None),
    row("perception_gap", "other constructs", "both", None),
    row("ceiling_share", "other constructs", "mentee", None, unit="share"),
    row("changed_up", "trust", "mentor", (0.1, 0.04, 0.2), unit="share"),
    row("changed_down", "trust", "mentor", (0.0, 0.0, 0.06), unit="share"),
    row("reliable_change", "trust", "mentor", (0.12, 0.05, 0.22), unit="share"),
    row("growth_slope", "trust", "mentor", (1.4, 0.6, 2.2)),
    row("growth_slope", "trust", "mentee", (-0.2, -1.1, 0.7)),
    row("growth_slope", "satisfaction", "mentee", None),
    row("growth_together", "trust", "both", (0.24, 0.08, 0.39), unit="coefficient"),
    *(
        row(f"surface_{name}", PROGRAMME, "mentee", (-0.8, -1.4, -0.2), claim="associated with")
        for name in ("a1", "a2", "a3", "a4", "a5")
    ),
    row("goal_weeks", PROGRAMME, "both", (13.0, 7.0, 19.0), unit="weeks"),
    row("goals_in_26_weeks", PROGRAMME, "both", (0.71, 0.6, 0.8), unit="share"),
    row("support_recall", PROGRAMME, "both", (0.75, 0.5, 0.9), unit="share"),
    row("support_false_alarms", PROGRAMME, "both", (42.0, 33.0, 51.0), unit="alarms"),
    row("support_lead", PROGRAMME, "both", (31.0, 20.0, 45.0), unit="days"),
    row("reliability_level", "trust", "mentor", (0.81, 0.74, 0.86), unit="coefficient"),
    row("reliability_change", "trust", "mentor", (0.18, 0.18, 0.18), unit="coefficient"),
    row("reliability_level", "trust", "mentee", (0.52, 0.52, 0.52), unit="coefficient"),
    row("reliability_change", "trust", "mentee", (0.66, 0.66, 0.66), unit="coefficient"),
    row("alpha", "trust", "mentor", None, unit="coefficient"),
    row("actor_effect", PROGRAMME, "mentee", (6.0, 3.0, 9.0), claim="associated with"),
    row("partner_effect", PROGRAMME, "mentee", (-1.0, -3.0, 2.0), claim="associated with"),
    row("straight_lining", PROGRAMME, "mentor", (0.06, 0.02, 0.13), unit="share"),
    row("weighted_trust", PROGRAMME, "mentor", (63.0, 59.0, 67.0)),
    row("goal_attainment", PROGRAMME, "both", (59.0, 58.0, 60.0), unit="t_score"),
]


VERDICTS = [
    {"about": "changed", "construct": "trust", "side": "mentor", "verdict": "some_changed"},
    {"about": "course", "construct": "trust", "side": "mentor", "verdict": "signal"},
    {"about": "surface", "construct": "satisfaction", "side": "mentee", "verdict": "goes_with_gap"},
    {"about": "milestones", "construct": "", "side": "both", "verdict": "measured"},
    {"about": "support", "construct": "", "side": "both", "verdict": "measured"},
]


COMPARED = {"about": "comparability", "construct": "trust", "side": "both", "verdict": "holds"}
FAILS = {"about": "comparability", "construct": "satisfaction", "side": "both", "verdict": "fails"}


def frame(*rows: Row) -> pd.DataFrame:
    return pd.DataFrame([{"release": "R", "round": "1", **each} for each in rows])


@pytest.fixture(scope="module", params=[VERDICTS])
def with_evidence(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    settings = Settings(home=tmp_path_factory.mktemp("evidence"), secret_key=KEY, organisation="Example Ltd")
    stores = open_stores(settings)
    migrate(stores)
    make_release(stores, 1, key=KEY, rows=[*rows_of(1), *EVIDENCE], verdicts=request.param)
    accounts = open_accounts(settings)
    accounts.add(email="cleo@cast.example", role="hr", programme_id="mentoring", password=PASSWORD, now=NOW)
    published = open_published(settings)
    yield Made(settings, published, accounts, create_app(settings, published, accounts, clock=lambda: NOW).server)
    stores.dispose()


@pytest.fixture
def informed(with_evidence: Made) -> Reader:
    client = with_evidence.server.test_client()
    sign_in(client, "cleo@cast.example")
    return Reader(client)


@pytest.mark.parametrize("with_evidence", [[*VERDICTS, COMPARED]], indirect=True)
def test_the_title_says_which_gap_leaves_zero_out(informed):
    assert "Mentors see trust more rosily" in informed.text("/two-sides")


def test_without_comparability_the_title_claims_nothing(informed):
    text = informed.text("/two-sides")
    assert "rosily" not in text
    assert "The two sides answer differently on trust; whether they read the words alike is not tested" in text
    assert "Comparability not tested" in text
    assert "7 (3 to 11)" in text
    assert "0.41 (0.20 to 0.58)" in text


@pytest.mark.parametrize("with_evidence", [[*VERDICTS, COMPARED, FAILS]], indirect=True)
def test_each_verdict_on_comparability_has_its_sentence(informed):
    text = informed.text("/two-sides")
    assert "read the questions alike for trust: a gap there is one between the sides" in text
    assert "read the questions differently on satisfaction: a gap there may be nothing but that" in text
    assert "Comparability not tested" not in text


def test_the_gaps_stand_beside_both_ends_in_one_order(informed):
    ends, gap, *_ = drawn(informed.text("/two-sides"))
    for figure in (ends, gap):
        assert [each["text"] for each in figure["layout"]["annotations"]] == ["Trust", "Satisfaction"]
    (line,) = [trace for trace in ends["data"] if trace["uid"] == "joined"]
    dots = {trace["uid"]: trace["x"] for trace in ends["data"] if trace["uid"] in ("mentor", "mentee")}
    pairs = zip(dots["mentor"], dots["mentee"], strict=True)
    assert line["x"] == [x for pair in pairs for x in (*pair, None)]
    assert "Mentor minus mentee: 1 of 2 gaps are clear" in informed.text("/two-sides")
    file = informed.client.get("/two-sides.csv").get_data(as_text=True)
    assert "all,all,mentor,satisfaction" in file  # both ends are drawn, so the download holds them


def test_on_paper_a_line_joins_both_ends_too(with_evidence):
    numbers = numbers_in(with_evidence)
    gaps = [(name, evidence(numbers).of("perception_gap", name, "both")) for name in ("trust", "satisfaction")]
    chart = both_ends(numbers, gaps, Words("en")).chart
    joined, apart = (
        re.findall(r"stroke: #c9d0cc; stroke-width: 3", svg(each)) for each in (chart, replace(chart, is_joined=False))
    )
    assert (len(joined), len(apart)) == (2, 0)


@pytest.mark.parametrize(
    ("own", "others", "said"),
    [
        ((6.0, 3.0, 9.0), (-4.0, -6.0, -2.0), "goes_with_both"),
        ((6.0, 3.0, 9.0), (-1.0, -3.0, 2.0), "goes_with_own"),
        ((1.0, -1.0, 3.0), (4.0, 2.0, 6.0), "goes_with_others"),
        ((1.0, 0.0, 3.0), (0.0, -2.0, 0.0), "goes_with_none"),
    ],
)
def test_what_goes_along_with_satisfaction_is_said_by_the_intervals(own, others, said):
    numbers = {"actor_effect": own, "partner_effect": others}
    effects = {name: readings(frame(row(name, PROGRAMME, "mentor", each)))[0] for name, each in numbers.items()}
    assert _goes_with({name: _is_clear(each) for name, each in effects.items()}) == said


def test_an_association_is_worded_as_one(informed):
    text = informed.text("/two-sides")
    assert "6 (3 to 9)" in text
    assert "they go together" in text
    assert "Mentees: satisfaction goes along with their own trust; no clear association with the other" in text
    assert "no clear association" in text
    assert text.count("associated with") == 2 + 5


def test_what_a_person_may_be_told_follows_the_two_coefficients(informed):
    text = informed.text("/quality")
    assert "For 1 of 2 scores" in text
    assert "a person's level can be told, not their change" in text
    assert "a person's change can be told, not their level" in text
    assert "0.81" in text


def test_who_changed_and_how_a_side_moves_is_said_in_words(informed):
    text = informed.text("/metric/trust")
    assert "Mentors: five pairings or more changed by more than noise explains; the side as a whole rises" in text
    assert "Mentees: too early to tell who changed; no clear rise or fall" in text
    assert "10% (4 to 20%)" in text
    assert "1.4 (0.6 to 2.2)" in text
    assert "Mentors: the course over the rounds left its usual range." in text
    assert "growth_slope" in informed.client.get("/metric/trust.csv").get_data(as_text=True)
    assert "Available once 20 people of a side" in informed.text("/metric/satisfaction")


def test_days_that_both_share_and_a_gap_without_comparability(informed):
    text = informed.text("/two-sides")
    assert "a good round for one is a good round for the other" in text
    assert "0.24 (0.08 to 0.39)" in text
    assert "alike is not tested, so no claim is made from this" in text
    assert "satisfaction goes with a gap in trust." not in text
    assert "Gaps on other constructs are available after" in text


def test_goals_and_rules_for_support_are_told_with_their_intervals(informed):
    text = informed.text("/quality")
    assert "Half of the goals are reached within 13 weeks (7 to 19)." in text
    assert "71% (60 to 80%)" in text
    assert "On past pairings the rules did this:" in text
    assert "42 (33 to 51)" in text
    assert "0.81 (0.74 to 0.86)" in text
    assert text.count("Other constructs are available after") == 1


def test_a_withheld_number_is_in_no_page_and_reads_the_same_in_the_file(informed):
    assert "Fit of the match" not in informed.text("/two-sides")
    lines = informed.client.get("/two-sides.csv").get_data(as_text=True).splitlines()
    withheld = [line for line in lines if ",fit," in line]
    assert len(withheld) == 1
    assert WITHHELD in withheld[0]


def test_german_pages_speak_german(informed):
    assert "Die beiden Seiten antworten verschieden bei Vertrauen" in informed.text("/two-sides", "?lang=de")
    assert "Was Schweigen" in informed.text("/quality", "?lang=de")


def test_before_there_is_evidence_the_pages_say_when(cleo):
    assert "cannot be compared yet" in cleo.text("/two-sides")
    assert "Gaps are available once" in cleo.text("/two-sides")
    assert "available after a second round" in cleo.text("/quality")
    assert "Goal attainment is available once" in cleo.text("/quality")
    assert "How well the rules work is available after 20 pairings" in cleo.text("/quality")
    assert "Available after three rounds" in cleo.text("/two-sides")
    assert "200 pairings" in cleo.text("/two-sides")
    assert "Available once 20 people of a side" in cleo.text("/metric/trust")
