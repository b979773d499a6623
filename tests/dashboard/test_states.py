"""What the pages say after one round, of a programme that is too small for scores, and before any round."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard import parts
from dashboard.actions import actions, how_to_choose, next_actions
from dashboard.app import FIRST_STEPS
from dashboard.findings import Numbers, is_of_one_construct, profile, weakest
from dashboard.panels import trend
from dashboard.states import has_scores, is_too_small, later, small
from dashboard.words import LANGUAGES, Words
from data.store.engine import Stores
from pipeline.published import WITHHELD, catalogue
from tests.dashboard.conftest import KEY, Made, Reader
from tests.dashboard.made_installation import entered, installed, numbers_in
from tests.dashboard.made_releases import few_rows, make_release, rows_of
from tests.dashboard.test_scope import drawn
from tests.house.test_causal_words import SAYS_WHY

EN = Words("en")
LEAST = {"respondents_n": 10}


def rounds(n: int) -> Callable[[Stores], None]:
    def release(stores: Stores) -> None:
        for number in range(1, n + 1):
            rows = [row for row in rows_of(number) if row["metric"] != "recognition"]
            make_release(stores, number, key=KEY, rows=rows, thresholds=LEAST)

    return release


def few(stores: Stores) -> None:
    make_release(stores, 1, key=KEY, rows=few_rows(1), thresholds=LEAST)


@pytest.fixture(scope="module")
def after_one_round(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with installed(tmp_path_factory.mktemp("one"), rounds(1)) as made:
        yield made


@pytest.fixture(scope="module")
def eight_pairings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with installed(tmp_path_factory.mktemp("few"), few) as made:
        yield made


# --- after the first round -------------------------------------------------------------------------


def test_one_round_is_worth_opening(after_one_round: Made) -> None:
    text = entered(after_one_round).text("/")
    assert "lie clearly on the positive side" in text
    assert "Strongest: " in text
    assert "Weakest: " in text
    assert len(drawn(text)) == 1  # the scores; nothing that pretends to be a trend
    assert text.count('"className":"card"') == 4
    assert WITHHELD not in text


def test_what_needs_more_is_one_line_each_and_nothing_is_refused(after_one_round: Made) -> None:
    text = entered(after_one_round).text("/")
    for key in ("later_change", "later_steady", "later_trend", "later_gap", "later_case"):
        assert text.count(EN(key)) == 1, key
    assert EN("first_time") not in text
    assert EN("over_rounds") not in text


def test_lines_on_what_comes_later_go_when_it_has_come(made: Made) -> None:
    numbers = numbers_in(made)
    second, third = (numbers.until(f"mentoring-{number}") for number in (2, 3))
    assert second is not None
    assert third is not None
    assert [EN("later_trend"), EN("later_gap"), EN("later_case")] == later(second, EN)
    assert [EN("later_gap"), EN("later_case")] == later(third, EN)
    assert EN("later") not in entered(made).text("/")
    assert EN("later") in entered(made).text("/", "?round=mentoring-2")
    assert EN("later_change") not in entered(made).text("/", "?round=mentoring-2")


def test_a_metric_of_one_round_is_drawn_with_its_intervals_and_not_as_a_trend(after_one_round: Made) -> None:
    figure, *_ = drawn(entered(after_one_round).text("/metric/trust"))
    layout = json.loads(json.dumps(figure["layout"]))
    assert [each["text"] for each in layout["annotations"]] == ["Round 1"]
    assert all("error_x" in trace for trace in json.loads(json.dumps(figure["data"])))


def test_what_was_never_asked_says_so_and_what_it_would_be(after_one_round: Made) -> None:
    reader = entered(after_one_round)
    text = reader.text("/metric/recognition")
    assert EN("never_asked") in text
    assert EN("metric_formula") in text
    assert EN("no_attributes") not in text
    for key in ("metric_not_shown", "metric_by", "metric_person"):
        assert (EN(key) in text, EN(key) in reader.text("/metric/trust")) == (False, True), key


def test_a_panel_without_a_row_has_no_empty_table(after_one_round: Made) -> None:
    drawn_of = str(parts.figure(trend(numbers_in(after_one_round), catalogue()["recognition"], EN), EN))
    assert "Recognition: nothing to draw yet" in drawn_of
    assert "Table(" not in drawn_of


def test_two_rounds_are_drawn_as_a_trend(made: Made) -> None:
    text = entered(made).text("/", "?round=mentoring-2")
    assert EN("over_rounds") in text
    assert sum("annotations" not in json.loads(json.dumps(each["layout"])) for each in drawn(text)) == 4


# --- what to do next -------------------------------------------------------------------------------


def test_every_score_has_an_action_in_both_languages_and_nothing_else_has() -> None:
    assert set(actions()) == {each.id for each in catalogue().values() if is_of_one_construct(each)}
    for metric, told in actions().items():
        assert set(told) == set(LANGUAGES), metric
        assert all(40 < len(text) < 260 and text.endswith(".") for text in told.values()), metric
        assert not any(re.search(SAYS_WHY[lang], text, re.I) for lang, text in told.items()), metric


def lowered(numbers: Numbers, *changed: tuple[str, float, float, float]) -> Numbers:
    """The same with other numbers of both sides together in the newest release."""
    rows = numbers.rows.copy()
    for metric, *values in changed:
        is_it = (rows["metric"] == metric) & (rows["side"] == "both") & (rows["view"] == "all")
        rows.loc[is_it & (rows["release"] == numbers.latest.id), ["value", "low", "high"]] = values
    return replace(numbers, rows=rows)


def test_actions_are_for_the_scores_whose_intervals_end_lowest(made: Made) -> None:
    numbers = lowered(
        numbers_in(made), ("trust", 30.0, 28.0, 32.0), ("fit", 40.0, 36.0, 44.0), ("feedback", 20.0, 0.0, 60.0)
    )
    assert profile(numbers)[-1].metric == "feedback"
    assert [each.metric for each in weakest(numbers)[:2]] == ["trust", "fit"]
    assert [(each.metric, text) for each, text in next_actions(numbers, EN)] == [
        ("trust", actions()["trust"]["en"]),
        ("fit", actions()["fit"]["en"]),
    ]
    assert how_to_choose(numbers, EN) == EN("actions_first")


def test_where_the_order_is_not_certain_the_page_says_so(made: Made) -> None:
    numbers = numbers_in(made)
    close = lowered(numbers, ("trust", 30.0, 28.0, 32.0), ("fit", 31.0, 29.0, 33.0))
    assert how_to_choose(close, EN) == EN("actions_either")
    wide = [(each.metric, 50.0, 10.0, 90.0) for each in profile(numbers)]
    assert how_to_choose(lowered(numbers, *wide), EN) == EN("actions_open")


def test_one_score_has_one_action_and_none_has_none(made: Made, eight_pairings: Made) -> None:
    numbers = numbers_in(made)
    is_other = (numbers.rows["metric"] != "trust") & (numbers.rows["unit"] == "points")
    alone = replace(numbers, rows=numbers.rows.assign(shown=numbers.rows["shown"] & ~is_other))
    assert [each.metric for each, _ in next_actions(alone, EN)] == ["trust"]
    assert how_to_choose(alone, EN) == EN("actions_only")
    assert next_actions(numbers_in(eight_pairings), EN) == []


def test_the_overview_shows_both_actions_before_the_chart(made: Made) -> None:
    text = entered(made).text("/")
    found = next_actions(numbers_in(made), EN)
    assert len(found) == 2
    places = [text.index(told) for _, told in found]
    assert places == sorted(places)
    assert places[-1] < text.index('"type":"Graph"')


# --- too few people --------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_eight_pairings_get_words_instead_of_scores(eight_pairings: Made, lang: str) -> None:
    words = Words(lang)
    text = entered(eight_pairings).text("/", f"?lang={lang}")
    for said in (words("few_never"), words("few_talk"), words("few_gaps"), words("few_money"), words("few_comments")):
        assert text.count(said) == 1, said
    assert words("few_over_half", bounds=words.bounds(0.55, 1.0, "share")) in text
    assert words("few_pairings", started=words.at_least(5), active=words.at_least(5)) in text
    assert "rapport forecast" in text
    assert drawn(text) == []
    assert text.count('"className":"flow"') == 2
    assert text.count(words("withheld")) == 1  # named once, so that it is known on the other pages
    assert words("strong_weak") not in text


def test_a_metric_of_eight_pairings_is_no_wall_of_refusals(eight_pairings: Made) -> None:
    text = entered(eight_pairings).text("/metric/trust")
    assert text.count(EN("instead_nothing")) == 1
    assert "look at the whole programme" not in text
    assert EN("table_none_shown", n=3) in text
    assert EN("table_none_shown", n=9) in text
    tables = re.findall(r'"className":"numbers","open":(\w+)|"open":(\w+),"className":"numbers"', text)
    assert {found for pair in tables for found in pair if found} == {"false"}
    assert '"href":"#programme"' not in text


def test_no_path_of_eight_pairings_shows_a_score(eight_pairings: Made) -> None:
    reader = entered(eight_pairings)
    for path in ("/", "/metric", "/metric/trust", "/two-sides", "/participation", "/quality"):
        for figure in drawn(reader.text(path)):
            assert "participation" in json.dumps(figure) or "%" in json.dumps(figure), path
    lines = reader.client.get("/overview.csv").get_data(as_text=True).splitlines()[1:]
    shown = {line.split(",")[6] for line in lines if ",True," in line}
    assert shown == {
        "participation", "flow_invited", "flow_answered",
        "flow_pairings_started", "flow_pairings_active", "flow_pairings_ended",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "least", "never"), [(5, 10, True), (10, 10, False), (25, 10, False), (10, 14, False), (10, 15, True)]
)
def test_never_is_said_only_where_the_counts_prove_it(tmp_path: Path, asked: int, least: int, never: bool) -> None:
    """10 or more may be 14."""

    def release(stores: Stores) -> None:
        make_release(stores, 1, key=KEY, rows=few_rows(1, asked=asked), thresholds={"respondents_n": least})

    with installed(tmp_path / "home", release) as made:
        numbers = numbers_in(made)
        assert not has_scores(numbers)
        assert is_too_small(numbers) == never
        said, _ = small(numbers, EN)
        assert said[0] == EN("few_scores" if never else "few_scores_yet", n=least)
        text = entered(made).text("/")
        assert (EN("few_never") in text, EN("few_not_yet") in text) == (never, not never)


@pytest.mark.parametrize(
    ("answered", "key"),
    [((0.4, 0.2, 0.49), "few_under_half"), ((0.5, 0.3, 0.7), "few_about_half"), ((0.8, 0.51, 1.0), "few_over_half")],
)
def test_participation_is_told_in_words_by_its_interval(
    tmp_path: Path, answered: tuple[float, float, float], key: str
) -> None:
    def release(stores: Stores) -> None:
        make_release(stores, 1, key=KEY, rows=few_rows(1, answered=answered), thresholds=LEAST)

    with installed(tmp_path / "home", release) as made:
        text = entered(made).text("/")
    keys = ("few_under_half", "few_about_half", "few_over_half")
    found = [each for each in keys if EN(each, bounds=EN.bounds(*answered[1:], "share")) in text]
    assert found == [key]


def test_where_even_participation_is_withheld_the_counts_still_stand(tmp_path: Path) -> None:
    def release(stores: Stores) -> None:
        make_release(stores, 1, key=KEY, rows=few_rows(1, answered=None), thresholds=LEAST)

    with installed(tmp_path / "home", release) as made:
        reader = entered(made)
        assert "of the people asked took part" not in reader.text("/")
        text = reader.text("/participation")
    assert EN("participation_none") in text
    assert EN("flow_few") in text
    assert drawn(text) == []
    assert text.count(WITHHELD) >= 3


# --- before any round ------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_day_names_three_steps_with_their_commands(tmp_path: Path, lang: str) -> None:
    words = Words(lang)
    with installed(tmp_path / "home", lambda _stores: None) as made:
        cleo, dan = entered(made), entered(made, "dan@cast.example")
        text = cleo.text("/", f"?lang={lang}")
        assert text.count('"type":"Li"') == len(FIRST_STEPS) == 3
        for command in ("rapport import workbook pairs.xlsx", "rapport forecast", "rapport rounds open autumn-1"):
            assert command in text
        waiting = dan.text("/", f"?lang={lang}")
        assert words("empty_wait") in waiting
        assert "rapport" not in waiting
        for path in ("/participation", "/metric/trust", "/two-sides", "/releases"):
            assert words("empty_text") in cleo.text(path, f"?lang={lang}")


def test_nobody_is_told_steps_of_a_programme_that_is_not_theirs(as_reader: Callable[[str], Reader]) -> None:
    assert "rapport import" not in as_reader("rita@cast.example").text("/")
