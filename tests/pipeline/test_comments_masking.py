"""Masking of comments: names as people write them, addresses, numbers and links; and what it leaves alone."""

import time

import pytest

from pipeline.comments.masking import mask, names_of

PEOPLE = names_of(
    [
        ("Anna Müller-Lüdenscheidt", "anna.mueller@example.org"),
        ('Elizabeth "Liz" O’Brien', "liz.obrien7@example.org"),
        ("Zoë Søndergaard", None),
        ("Ludwig van Beethoven", "office@example.org"),
        ("Bo Li", "bl1982@example.org"),
        ("Mark May", None),
        ("Ben", None),
        ("José Ángel Núñez", None),
        ("王小明", None),
        ("김 민수", None),
        ("Олена Шевченко", None),
        ("Jean-Luc Łukasz", None),
        ("(erased)", None),
    ]
)


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("Anna helps me.", "[name] helps me."),
        ("anna helps ANNA", "[name] helps [name]"),
        ("Anna's advice, Anna’s too", "[name]'s advice, [name]’s too"),
        ("Annas Rat und Müllers Büro", "[name] Rat und [name] Büro"),
        ("Muller, Mueller, MÜLLER, muellers", "[name], [name], [name], [name]"),
        ("Anna Müller-Lüdenscheidt", "[name]"),
        ("A. Müller", "[name]"),
        ("Liz and Elizabeths list", "[name] and [name] list"),
        ("O'Brien, OBrien, Obrien’s", "O'[name], [name], [name]’s"),
        ("zoe and Soendergaard and Sondergaard", "[name] and [name] and [name]"),
        ("Beethovens neunte mit van und der", "[name] neunte mit van und der"),
        ("Bo said, Li's way; a bo and a li", "[name] said, [name]'s way; a bo and a li"),
        ("bl1982 knows", "[name] knows"),
        ("Jose Angel Nunez", "[name]"),
        ("Mit Marken und Annen, und Anny kam", "Mit [name] und [name], und [name] kam"),
        ("我喜欢王小明的建议", "我喜欢[name]的建议"),
        ("민수가 잘 도와줘요", "[name]가 잘 도와줘요"),
        ("Олена и шевченко", "[name] и [name]"),
        ("Спасибо Олене", "Спасибо [name]"),
        ("An\u200bna and A\u0301ngel and Ａｎｎａ", "[name] and [name] and [name]"),
        ("jeanluc and Lukasz and lukaszem? Lukaszem!", "[name] and [name] and lukaszem? [name]!"),
        ("Bens Zeit", "[name] Zeit"),
    ],
)
def test_names_are_masked_as_people_write_them(said: str, masked: str) -> None:
    assert mask(said, PEOPLE) == masked


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("to anna.mueller@example.org please", "to [e-mail] please"),
        ("x (at) example [dot] org", "[e-mail]"),
        ("call +49 (0)30 1234-567 now", "call [number] now"),
        ("0171/2345678", "[number]"),
        ("see https://example.org/a?b=c and www.example.org", "see [link] and [link]"),
        ("example.org/people/7 or intranet.example.com", "[link] or [link]"),
        ("ask @ann_mu on chat", "ask [name] on chat"),
        ("on 2026-03-02 we met", "on [number] we met"),
    ],
)
def test_addresses_numbers_and_links_are_masked(said: str, masked: str) -> None:
    assert mask(said, PEOPLE) == masked


@pytest.mark.parametrize(
    "said",
    [
        "We meet every 2 weeks, at 9.30, in room 1204.",
        "The office and the team of my mentor helped; 10 of 12 times, 85 %.",
        "Wir haben kochen gelernt und das Benennen geübt.",
        "He is at home with the band, and zoology is fun.",
        "No names here.\nAnother line …",
    ],
)
def test_what_is_no_name_stays(said: str) -> None:
    assert mask(said, PEOPLE) == said


def test_masking_twice_is_the_same_as_once_and_names_may_be_words_of_the_mask() -> None:
    odd = names_of([("Link Name", "mail@example.org"), ("Number May", None)])
    said = "Link wrote https://x.example/1 to Name, may number 123 4567"
    once = mask(said, odd)
    assert once == "[name] wrote [link] to [name], [name] [number]" or once == "[name] wrote [link] to [name] [number]"
    assert mask(once, odd) == once


def test_nothing_is_masked_where_nobody_is_known() -> None:
    assert mask("Anna and Ben", names_of([])) == "Anna and Ben"


def test_a_long_comment_is_masked_in_time_that_grows_with_its_length() -> None:
    for hostile in ("a." * 1000, "1 " * 1000, "@" * 2000, "a@" * 1000, "((1" * 666, "www." * 500, "a-b." * 500):
        start = time.perf_counter()
        mask(hostile, PEOPLE)
        assert time.perf_counter() - start < 1.0
