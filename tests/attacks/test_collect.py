"""Pages, callbacks, downloads, reports, mails and files hold no number of a withheld row, and none of four people."""

import dataclasses

import pytest

from tests.attacks import collect
from tests.attacks.collect import Gathered

pytestmark = pytest.mark.xdist_group("collected")  # one installation for all of them


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Gathered:
    return collect.gather(tmp_path_factory.mktemp("collected") / "home", n_pairs=14)


def with_text(of: Gathered, where: str, text: str) -> Gathered:
    return dataclasses.replace(of, texts={**of.texts, where: text})


def test_there_is_something_that_could_leak(gathered: Gathered) -> None:
    assert len(gathered.texts) > 100
    assert len(gathered.hidden_means) > 20
    assert gathered.rows["shown"].sum() > 20
    assert any("/page " in where for where in gathered.texts)


def test_no_withheld_number_is_anywhere(gathered: Gathered) -> None:
    assert collect.hidden_numbers(gathered) == []
    assert collect.numbers_of_withheld_rows(gathered) == []
    assert collect.points_of_withheld_rows(gathered) == []


def test_no_number_of_fewer_than_five_people_is_anywhere(gathered: Gathered) -> None:
    assert collect.few_people(gathered) == []


def test_each_look_finds_what_it_is_for(gathered: Gathered) -> None:
    mean = next(each for each in gathered.hidden_means.values() if abs(each * 10 - round(each * 10)) > 0.05)
    assert collect.hidden_numbers(with_text(gathered, "hr/page /", f'{{"hovertext": "{mean:.3f}"}}')) != []
    row = '[{"metric": "trust", "shown": false, "value": 51.0, "low": null, "high": null, "n": null}]'
    assert collect.numbers_of_withheld_rows(with_text(gathered, "verbs/published", row)) != []
    few = "metric,value,n,shown\ntrust,50,4,True\n"
    assert collect.few_people(with_text(gathered, "hr/csv /", few)) != []
    withheld = dataclasses.replace(gathered, rows=gathered.rows.assign(group="Sales", shown=False))
    figure = '{"figure": {"data": [{"y": ["Sales"], "x": [51.2]}], "layout": {}}}'
    assert collect.points_of_withheld_rows(with_text(withheld, "hr/page /", figure)) != []
