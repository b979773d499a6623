"""Deals the rotating questions of a pulse into forms over the people of a round.

Ids, not file order, decide: a questionnaire read back from a round's snapshot gives the same forms.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations
from typing import Protocol

from data.errors import RapportError
from surveys.questionnaire import SIDES, Pulse, Question, Questionnaire

FormItems = tuple[str, ...]


class Shuffler(Protocol):
    """What a source of chance must do; `random.Random` and numpy's `Generator` both do."""

    def shuffle(self, x: list[int], /) -> None: ...


def forms(questionnaire: Questionnaire, pulse_id: str, side: str) -> tuple[FormItems, ...]:
    """The rotating question ids of each form; a pulse that rotates nothing has one empty form."""
    blocks = _blocks(questionnaire, pulse_id, side)
    return tuple(form for block in blocks for form in block) or ((),)


def shares(questionnaire: Questionnaire, pulse_id: str, side: str) -> list[tuple[float, frozenset[str]]]:
    """Each form's share of the people asked, and the ids of its questions: constructs in equal parts, then forms."""
    fixed = frozenset(_pulse(questionnaire, pulse_id, side).fixed.get(side, ()))
    blocks = _blocks(questionnaire, pulse_id, side)
    dealt = [(1 / len(blocks) / len(block), fixed | set(form)) for block in blocks for form in block]
    return dealt or [(1.0, fixed)]


def assign_forms(
    questionnaire: Questionnaire,
    pulse_id: str,
    side: str,
    invited: Sequence[str],
    round_number: int,
    rng: Shuffler,
) -> dict[str, int]:
    """One form for each of the invited, in an order that only `rng` and the round decide.

    Constructs are dealt equally (± 1), and so are the forms within a construct. Nothing is carried
    over from earlier rounds, so the mix of forms has the same distribution in every round. The round
    number turns the order: a caller who seeds every round alike still gives each person another form.
    """
    people = sorted(set(invited))
    order = _shuffled(len(people), rng)
    decks = _decks(_blocks(questionnaire, pulse_id, side), round_number, rng)
    if not decks:
        return dict.fromkeys(people, 0)
    dealt: dict[str, int] = {}
    for place, person in enumerate(order):
        turn, construct = divmod(place, len(decks))
        deck = decks[(construct + round_number) % len(decks)]
        dealt[people[person]] = deck[turn % len(deck)]
    return dealt


def asked(questionnaire: Questionnaire, pulse_id: str, side: str, form: int) -> tuple[Question, ...]:
    """What a side is asked on this form, anchors first; operational questions come apart."""
    pulse, dealt = _pulse(questionnaire, pulse_id, side), forms(questionnaire, pulse_id, side)
    if not 0 <= form < len(dealt):
        raise RapportError(f"The {pulse_id} has {len(dealt)} forms for the {side}; there is no form {form}.")
    questions = [questionnaire.questions[id_] for id_ in (*pulse.fixed.get(side, ()), *dealt[form])]
    return tuple(sorted(questions, key=lambda question: question.placing != "anchor"))


def _pulse(questionnaire: Questionnaire, pulse_id: str, side: str) -> Pulse:
    if pulse_id not in questionnaire.pulses or side not in SIDES:
        raise RapportError(
            f"There is no pulse {pulse_id} for the {side}; "
            f"choose one of {', '.join(questionnaire.pulses)} for mentor or mentee."
        )
    return questionnaire.pulses[pulse_id]


def _blocks(questionnaire: Questionnaire, pulse_id: str, side: str) -> list[list[FormItems]]:
    """For each construct with rotating questions, its forms; every pair of them meets on one."""
    pulse = _pulse(questionnaire, pulse_id, side)
    fixed = set(pulse.fixed.get(side, ()))
    fill = [id_ for id_ in pulse.fill if side in questionnaire.questions[id_].sides and id_ not in fixed]
    blocks: list[list[FormItems]] = []
    for construct in sorted(questionnaire.constructs) if pulse.seats else ():
        items = sorted(
            question.id
            for question in questionnaire.of_construct(construct, side)
            if question.placing == "rotating" and question.id not in fixed
        )
        turned = fill[len(blocks) % len(fill) :] + fill[: len(blocks) % len(fill)] if fill else []
        if items:
            blocks.append([_filled(form, turned, pulse.seats) for form in _cover(tuple(items), pulse.seats)])
    return blocks


@cache
def _cover(items: FormItems, seats: int) -> list[FormItems]:
    """Few sets of at most `seats` items in which every pair occurs: always the set with most new pairs."""
    if len(items) <= seats:
        return [items]
    if seats == 1:
        return [(item,) for item in items]
    missing, sets = set(combinations(items, 2)), list(combinations(items, seats))
    chosen: list[FormItems] = []
    while missing:
        chosen.append(max(sets, key=lambda form: len(missing & _pairs(form))))
        missing -= _pairs(chosen[-1])
    return chosen


def _pairs(form: Iterable[str]) -> set[tuple[str, str]]:
    return set(combinations(form, 2))


def _filled(form: FormItems, fill: list[str], seats: int) -> FormItems:
    free = [item for item in fill if item not in form]
    return (*form, *free[: seats - len(form)])


def _decks(blocks: list[list[FormItems]], round_number: int, rng: Shuffler) -> list[list[int]]:
    """The form numbers of each construct, constructs and forms both in an order of this round."""
    decks: list[list[int]] = []
    first = 0
    for block in blocks:
        order = [first + place for place in _shuffled(len(block), rng)]
        turn = round_number % len(order)
        decks.append(order[turn:] + order[:turn])
        first += len(block)
    return [decks[place] for place in _shuffled(len(decks), rng)]


def _shuffled(n: int, rng: Shuffler) -> list[int]:
    order = list(range(n))
    rng.shuffle(order)
    return order
