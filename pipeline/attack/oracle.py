"""Tells the reader of a release, from its inputs, all that they are assumed to know of its scores."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.attack.chains import stacked, with_same_answers
from pipeline.attack.further import further
from pipeline.attack.reader import KEY, Round, Told, told
from pipeline.attack.spreads import with_spreads
from pipeline.disclosure.thresholds import thresholds
from pipeline.measure import measure
from pipeline.metric import Facts, catalogue
from pipeline.score import asked, score
from pipeline.validate import validate

NOTHING_TOLD = pd.DataFrame(columns=[*KEY, "se"])

if TYPE_CHECKING:
    from pipeline.ingest import Inputs


def seen_round(inputs: "Inputs", published: pd.DataFrame) -> Round:
    """One round with its release's rows (contract Published)."""
    metrics, limits = catalogue(), thresholds(inputs.programme.decisions)
    names = sorted({name for metric in metrics.values() for name in metric.constructs})
    rated = validate(inputs.answers, inputs.questionnaires).rated
    scored = score(rated, inputs.questionnaire, round_id=inputs.round.round_id, names=names)
    facts = Facts(invited=inputs.invited_now, scored=scored)
    asks = asked(inputs.questionnaire, inputs.round.pulse, names, scored)
    told = {id_: each for id_, each in metrics.items() if id_ in set(published.loc[published["shown"], "metric"])}
    measured = measure(facts, told, attributes=limits.attributes, asked=asks).measured if told else NOTHING_TOLD
    errors = dict(zip(measured[KEY].itertuples(index=False, name=None), measured["se"], strict=True))
    return Round(number=inputs.round.number, facts=facts, metrics=metrics, published=published, se=errors)


def known_of(inputs: "Inputs", seen: Round) -> Told:
    """Everything that a release says of single answers: scores, gaps by construct, weighted means."""
    attributes: Sequence[str] = thresholds(inputs.programme.decisions).attributes
    before = inputs.invited[inputs.invited["round_id"] != inputs.round.round_id]
    known = with_same_answers(stacked([told(seen), further(seen, before, attributes)]))
    return with_spreads(known, seen)
