"""Participation: the flow of people and pairings in words and bars, response by round and by one attribute."""

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from dashboard.charts import paper
from dashboard.findings import Numbers, readings
from dashboard.flows import pairings_flow, people_flow
from dashboard.grouped import _way
from dashboard.panels import by_group
from dashboard.words import LANGUAGES, Words
from data.store.engine import Stores
from pipeline.published import PROGRAMME, WITHHELD, catalogue
from tests.dashboard.conftest import KEY, Made
from tests.dashboard.made_installation import entered, installed, numbers_in
from tests.dashboard.made_releases import Row, count_of, make_release, rows_of
from tests.dashboard.test_scope import NOT_AVAILABLE, drawn

EN = Words("en")
IDS = {"release": "R", "round": "1"}
TWO_WAY, THREE_ROUNDS = "department × location", "department, 3 rounds"


def shown(metric: str, view: str, group: str, side: str) -> Row:
    where = {"view": view, "group": group, "side": side, "metric": metric, "unit": catalogue()[metric].unit}
    numbers = {"value": 0.7, "low": 0.6, "high": 0.8, "n": 15}
    return {**where, **numbers, "claim": "describes", "shown": True, "reason": ""}


def withheld(metric: str, view: str, group: str, side: str) -> Row:
    gone = dict.fromkeys(("value", "low", "high", "n"))
    return {**shown(metric, view, group, side), **gone, "shown": False, "reason": WITHHELD}


def released(number: int) -> list[Row]:
    """Leeds is withheld throughout, Operations of mentees; it is told together with Engineering, and over rounds."""
    rows = [row for row in rows_of(number) if not row["metric"].startswith("flow_")]
    for row in rows:
        if (row["metric"], row["group"], row["side"]) == ("participation", "Operations", "mentee"):
            row |= withheld("participation", "department", "Operations", "mentee")
    part = "participation"
    rows += [
        shown(part, "department", "Engineering + Operations", "mentee"),
        withheld(part, "department", "Sales", "mentor"),
        shown(part, THREE_ROUNDS, "Sales", "mentor"),
        withheld(part, TWO_WAY, "Engineering × Leeds", "mentor"),
        withheld(part, TWO_WAY, "Nowhere × Leeds", "mentor"),
    ]
    sides = {"mentor": 45, "mentee": 55, "both": 100}
    rows += [count_of("flow_invited", side, n) for side, n in sides.items()]
    rows += [count_of("flow_answered", side, n - 5 * number * (1 + (side == "both"))) for side, n in sides.items()]
    counts = {"started": 55, "met": 50 if number > 1 else 0, "active": 55 - 5 * number, "ended": 5 * number}
    rows += [count_of(f"flow_pairings_{name}", "both", n) for name, n in counts.items()]
    return [*rows, count_of("flow_eligible", "mentee", 1200)]


def release(stores: Stores) -> None:
    for number in (1, 2):
        make_release(stores, number, key=KEY, rows=released(number))


@pytest.fixture(scope="module")
def reached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with installed(tmp_path_factory.mktemp("reached"), release) as made:
        yield made


@pytest.fixture
def numbers(reached: Made) -> Numbers:
    return numbers_in(reached)


def steps(answer: str) -> list[list[str]]:
    """Every step of a flow on a page: its name, and the side and number in words of each bar."""
    found: list[list[str]] = []

    def texts(node: Any) -> list[str]:
        if isinstance(node, str):
            return [node]
        if isinstance(node, list):
            return [text for each in node for text in texts(each)]
        return texts(node["props"].get("children", [])) if isinstance(node, dict) else []

    def walk(node: Any) -> None:
        if isinstance(node, dict) and node.get("props", {}).get("className") == "flow":
            found.extend(texts(item) for item in node["props"]["children"])
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            walk(child)

    walk(json.loads(answer))
    return found


def test_people_and_pairings_go_through_the_programme_step_by_step(reached: Made) -> None:
    assert steps(entered(reached).text("/participation")) == [
        ["Offered to, in the programme or not", "Employees", "1200 or more"],
        ["People asked", "Mentors", "45 or more", "Mentees", "55 or more"],
        ["People who answered", "Mentors", "35 or more", "Mentees", "45 or more"],
        ["Pairings started", "55 or more"],
        ["Met at least once so far", "50 or more"],
        ["Pairings under way", "45 or more"],
        ["Pairings ended", "10 or more"],
    ]


def test_the_lowest_step_is_told_as_few_and_what_was_not_counted_is_left_out(reached: Made, made: Made) -> None:
    told = {step[0]: step[1:] for step in steps(entered(reached).text("/participation", "?round=mentoring-1"))}
    assert told["Met at least once so far"] == ["few or none"]
    names = [step[0] for step in steps(entered(made).text("/participation"))]
    assert names == ["People asked", "People who answered", "Pairings started", "Pairings under way", "Pairings ended"]


def test_the_finding_is_the_title_and_the_words_say_what_joining_is(reached: Made) -> None:
    text = entered(reached).text("/participation")
    assert "72% of the people asked answered (64 to 80%)" in text
    assert "Of 100 or more people asked, 80 or more answered" in text
    assert "Pairings: 55 or more have started, 45 or more are under way, 10 or more have ended" in text
    assert "being matched and joining are one step here" in text
    assert "a pairing that starts" in text


def test_the_bars_are_as_long_as_the_counts_and_one_runs_past_the_scale(numbers: Numbers) -> None:
    people, pairings = people_flow(numbers, EN).chart, pairings_flow(numbers, EN).chart
    assert people is not None
    assert pairings is not None
    assert (people.span, pairings.span) == ((0.0, 55.0), (0.0, 55.0))
    assert [mark.value for each in people.series for mark in each.marks if mark.value > people.span[1]] == [1200.0]
    assert EN("flow_subtitle_past") == people.subtitle
    assert EN("flow_subtitle") == pairings.subtitle
    assert "Mentors 45 or more, Mentees 55 or more" in people.alt
    for chart in (people, pairings):
        assert paper.svg(chart) == paper.svg(chart)


def test_the_table_of_a_flow_has_every_round(numbers: Numbers) -> None:
    table = pairings_flow(numbers, EN).table
    assert table.columns[2:] == ("Round 1", "Round 2")
    assert [row.cells for row in table.rows] == [("55", "55"), ("0", "50"), ("50", "45"), ("5", "10")]


def test_response_by_round_has_intervals_for_each_side(reached: Made) -> None:
    trend, *_ = drawn(entered(reached).text("/participation"))
    lines = [trace for trace in json.loads(json.dumps(trend["data"])) if "error_y" in trace]
    assert [each["uid"] for each in lines] == ["mentor", "mentee"]
    assert all(len([y for y in each["y"] if y is not None]) == 2 for each in lines)


def test_a_group_has_its_response_only_where_it_is_shown(reached: Made, numbers: Numbers) -> None:
    panel = by_group(numbers, catalogue()["participation"], "location", EN)
    assert panel.chart is not None
    assert panel.chart.ticks == ("Berlin",)
    text = entered(reached).text("/participation", "?by=location")
    assert "Leeds" not in json.dumps(drawn(text))
    assert "Leeds: look at the whole programme:" in text
    assert EN("participation_groups") in text


def test_one_attribute_at_a_time_and_none_that_no_control_offers(reached: Made) -> None:
    reader = entered(reached)
    assert "Berlin" not in reader.text("/participation", "?by=department")
    assert NOT_AVAILABLE in reader.text("/participation", "?by=salary")
    assert NOT_AVAILABLE in reader.text("/participation", "?by=all")


def test_what_to_look_at_instead_is_concrete(reached: Made) -> None:
    reader = entered(reached)
    text = reader.text("/participation", "?by=department")
    assert "Operations (Mentees): told together, as Engineering + Operations." in text
    assert "Sales (Mentors): look at three rounds together:" in text
    assert "by=department%2C+3+rounds#groups" in text
    two_way = reader.text("/participation", f"?by={TWO_WAY}")
    assert "Engineering × Leeds (Mentors): look at one attribute at a time:" in two_way
    assert "/participation?by=department#groups" in two_way
    assert "Nowhere × Leeds (Mentors): look at the whole programme:" in two_way


def test_groups_of_another_attribute_or_side_are_no_way_out() -> None:
    (hidden,) = readings(pd.DataFrame([{**IDS, **withheld("trust", "department", "Sales", "mentor")}]))
    assert _way(hidden, {("location", "Sales + Leeds", "mentor")}) == ("programme", "")
    assert _way(hidden, {("department", "Sales + Law", "mentee")}) == ("programme", "")
    assert _way(hidden, {("department", "Sales + Law", "mentor")}) == ("merged", "Sales + Law")


def test_a_withheld_row_leads_to_what_can_be_looked_at(reached: Made) -> None:
    text = entered(reached).text("/participation", "?by=location")
    link = '{"props":{"children":"What to look at instead","href":"#programme"}'
    assert text.count(link) == text.count('"className":"gone"') == 3


def test_the_download_holds_what_is_drawn(reached: Made) -> None:
    answer = entered(reached).client.get("/participation.csv?by=location")
    rows = [line.split(",") for line in answer.get_data(as_text=True).splitlines()[1:]]
    assert {row[6] for row in rows if row[6].startswith("flow_")} == {
        "flow_eligible", "flow_invited", "flow_answered",
        "flow_pairings_started", "flow_pairings_met", "flow_pairings_active", "flow_pairings_ended",
    }  # fmt: skip
    assert {row[3] for row in rows} == {PROGRAMME, "location"}
    assert len([row for row in rows if row[6] == "participation" and row[3] == PROGRAMME]) == 2 * 3


@pytest.mark.parametrize("lang", LANGUAGES)
def test_leaders_read_it_too_in_their_language(reached: Made, lang: str) -> None:
    words, dan = Words(lang), entered(reached, "dan@cast.example")
    text = dan.text("/participation", f"?lang={lang}")
    assert words("participation_steps") in text
    assert words("flow_pairings_met") in text
    shell = dan.client.get(f"/participation?lang={lang}").get_data(as_text=True)
    assert f">{words('nav_participation')}</a>" in shell
    assert f"<title>{words('participation_page')}" in shell
