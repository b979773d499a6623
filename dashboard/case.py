"""Tells the business case in sentences that the page and the report share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.findings import Numbers, Reading, readings
from dashboard.words import Words, places_of

DESCRIBES = "describes"
CAUSAL = ("causal under the printed assumptions", "causal by design")  # claims that bear a causal sentence
PROTOCOL = ("eligibility", "strategies", "assignment", "time_zero", "follow_up", "outcome", "contrast", "analysis")
CHECKS = ("other_exits", "pre_trend", "without_one_department")


@dataclass(frozen=True, kw_only=True)
class Said:
    """One or two sentences with the claim that they make; "" where they say nothing about the programme."""

    text: str
    claim: str = ""


@dataclass(frozen=True)
class Told:
    """The case of one release: its rows by metric, and what the release says about them."""

    rows: Sequence[Reading]
    about: Mapping[str, Any]
    numbers: Numbers
    words: Words

    def one(self, metric: str, side: str) -> Reading | None:
        """One number that is shown, of the whole programme."""
        found = (each for each in self.rows if each.metric == f"case_{metric}" and each.side == side)
        return next((each for each in found if each.view == "all" and each.shown), None)

    def many(self, metric: str, view: str) -> list[Reading]:
        """The shown numbers of one view, as released."""
        return [each for each in self.rows if each.metric == f"case_{metric}" and each.view == view and each.shown]

    def amount(self, value: float, unit: str) -> str:
        """A number with its unit: money with its currency, exits and shares as they are."""
        words = self.words
        if unit in ("share", "points", "exits", "people", "months", "ratio"):
            return words.number(value, unit, places=places_of([value], unit))
        return words.money(value, unit)

    def told(self, reading: Reading) -> dict[str, str]:
        """Value, low and high as a sentence takes them."""
        names = ("value", "low", "high")
        return {name: self.amount(each, reading.unit) for name, each in zip(names, reading.numbers, strict=True)}


def case_told(numbers: Numbers, words: Words) -> Told | None:
    """None where the release has no business case: HR handed in no employment file."""
    about = numbers.latest.case
    if about is None:
        return None
    rows = numbers.select(release=numbers.latest.id)
    return Told(readings(rows[rows["metric"].str.startswith("case_")]), about, numbers, words)


# --- sentences -----------------------------------------------------------------------------------


def verdict(case: Told) -> list[Said]:
    """Page one: whether people stay, and the money."""
    return [*keeps(case), *money(case)]


def money(case: Told) -> list[Said]:
    """What it costs, where it breaks even, what the data fit, and what it is worth where that can be told."""
    return [*_costs(case), *_pays(case)]


def keeps(case: Told) -> list[Said]:
    """Whether people stay longer, in the words that the claim bears."""
    words, kept = case.words, case.one("retention", "mentee")
    if kept is None:
        return [Said(text=f"{words('case_cannot_tell')} {words('case_why_' + case.about['reasons']['retention'])}")]
    joined, compared = case.one("risk_joined", "mentee"), case.one("risk_compared", "mentee")
    told = {name: case.amount(each.numbers[0], "share") for name, each in
            (("joined", joined), ("compared", compared)) if each is not None}  # fmt: skip
    value, low, high = (abs(each) * 100 for each in kept.numbers)
    ends = sorted((low, high)) if kept.numbers[1] * kept.numbers[2] > 0 else [low, high]
    bounds = {name: _points(each, words) for name, each in zip(("value", "low", "high"), (value, *ends), strict=True)}
    found = case.about["verdict"]
    said = Said(text=words(f"case_{found}", **told, **bounds, n=words.at_least(kept.n or 0)), claim=kept.claim)
    return [*_causal(case, found, kept), said]


def _causal(case: Told, key: str, reading: Reading) -> list[Said]:
    """A causal sentence, where the estimate supports one: a causal claim and an interval on one side of zero.

    The one place that says one: a test looks for the words of causes everywhere else.
    """
    _, low, high = reading.numbers
    if reading.claim not in CAUSAL or low <= 0 <= high:
        return []
    return [Said(text=case.words(f"causal_{key}"), claim=reading.claim)]


def _points(value: float, words: Words) -> str:
    return words.number(value, "points", places=places_of([value], "points"))


def _costs(case: Told) -> list[Said]:
    words, cost = case.words, case.one("cost", "both")
    if cost is None:
        return [Said(text=words("case_no_money"))]
    said = [Said(text=words("say_cost", **case.told(cost), n=words.at_least(cost.n or 0)), claim=DESCRIBES)]
    even, expected = case.one("break_even", "mentee"), case.one("expected_exits", "mentee")
    if even is None:
        missing = words.listed(words(f"case_input_{each.split()[0]}") for each in case.about["missing"])
        return [*said, Said(text=words("case_no_break_even", missing=missing))]
    if expected is not None:
        told = {**case.told(even), "expected": case.amount(expected.numbers[0], "exits")}
        said.append(Said(text=words("say_break_even", **told), claim=DESCRIBES))
    return said


def _pays(case: Told) -> list[Said]:
    words, avoided, net = case.words, case.one("avoided", "mentee"), case.one("net", "both")
    said = []
    if avoided is not None:
        text = words("case_fit", low=_exits(avoided.numbers[1], words), high=_exits(avoided.numbers[2], words))
        said.append(Said(text=text, claim=avoided.claim))
    pays = case.one("pays", "both")
    if net is not None and pays is not None:
        chance = case.amount(pays.numbers[0], "share")
        said.append(Said(text=words("say_net", **case.told(net), chance=chance), claim=net.claim))
    return said


def _exits(count: float, words: Words) -> str:
    """ "6 fewer exits" or "6 more exits" """
    key = "case_fewer" if count > 0 else "case_more" if count < 0 else "case_as_many"
    return words(key, n=words.number(abs(count), "exits"))


def decision(case: Told) -> str:
    """What to decide, in a sentence."""
    return case.words(f"case_decide_{case.about['decision']}")


def engagement(case: Told) -> list[Said]:
    words, found = case.words, case.one("engagement", "mentee")
    if found is None:
        why = case.about["reasons"]["engagement"]
        return [Said(text=f"{words('case_engagement_cannot_tell')} {words('case_why_' + why)}")]
    told = {name: _points(each, words) for name, each in zip(("value", "low", "high"), found.numbers, strict=True)}
    verdict = case.about["engagement"]
    causes = _causal(case, "engagement", found) if verdict == "higher" else []
    said = Said(text=words(f"case_engagement_{verdict}", **told), claim=found.claim)
    return [*causes, said, Said(text=words("case_beside"))]


def would_take(case: Told) -> list[Said]:
    """What this programme could show at its size, and what telling a fifth fewer exits takes."""
    words, rate, shows = case.words, case.one("exit_rate", "mentee"), case.one("detectable", "mentee")
    said = []
    if rate is not None and shows is not None:
        told = {"rate": case.amount(rate.numbers[0], "share"), "shows": case.amount(shows.numbers[0], "share")}
        said.append(Said(text=words("say_detectable", **told, n=words.at_least(shows.n or 0)), claim=DESCRIBES))
    people, months = case.one("takes_people", "mentee"), case.one("takes_months", "mentee")
    if people is not None and months is not None:
        told = {"people": case.amount(people.numbers[0], "people"), "months": case.amount(months.numbers[0], "months")}
        said.append(Said(text=words("case_takes", **told), claim=DESCRIBES))
    return [*said, Said(text=words("case_lottery"))]


def checks(case: Told) -> list[Said]:
    """What was tried to make the effect go away."""
    words = case.words
    said = [Said(text=words(f"case_check_{name}_{case.about['checks'][name]}")) for name in CHECKS]
    hidden, limit = case.one("e_value", "mentee"), case.one("e_value_limit", "mentee")
    if hidden is not None and limit is not None:
        told = {"value": _points(hidden.numbers[0], words), "limit": _points(limit.numbers[0], words)}
        said.append(Said(text=words("say_e_value", **told)))
    strong = case.one("robustness", "mentee")
    if strong is not None:
        said.append(Said(text=words("say_robustness", value=case.amount(strong.numbers[0], "share"))))
    without = case.one("without_one", "mentee")
    if without is not None:
        low, high = (_points(each * 100, words) for each in without.numbers[1:])
        said.append(Said(text=words("say_without_one", low=low, high=high), claim=without.claim))
    return said


def assumed(case: Told) -> list[str]:
    """The assumptions under which an effect may be called causal, each in a sentence."""
    names = [*case.about["assumed"]["retention"], *case.about["assumed"]["engagement"]]
    return [case.words(f"assumes_{name}") for name in dict.fromkeys(names)]


def protocol(case: Told) -> list[tuple[str, str]]:
    """The parts of the trial that the retention estimate stands in for: name, sentence.

    In English they are the registered ones, word for word.
    """
    words, plan = case.words, case.about["plan"]["plan"]
    named = ", ".join(words(f"covariate_{name}") for name in plan["covariates"])
    told = {"named": named, "months": plan["horizon"], "asked": words(f"asked_{plan['estimand']}")}
    return [(words(f"protocol_{name}"), words(f"protocol_says_{name}", **told)) for name in PROTOCOL]


def registered(case: Told) -> list[str]:
    """When the plan was registered, under which digest, and every deviation from it."""
    words, about = case.words, case.about
    day = str(about["registered"].get("registered_at", ""))[:10]
    digest = about["registered"]["sha256"][:16]
    said = [words("case_registered", day=day, digest=digest) if day else words("case_registered_now", digest=digest)]
    gone = about["deviations"]
    said += [words("case_deviation", text=each) for each in gone] or [words("case_no_deviation")]
    said += [words("case_data", begins=about["data"]["begins"], ends=about["data"]["ends"])]
    counted = about["notes"].items()
    return said + [words("case_note", n=words.at_least(n), what=words(f"case_note_{key}")) for key, n in counted]
