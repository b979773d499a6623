"""Says what a programme of this size and age can see, what comes later, and what to do meanwhile."""

from dashboard.findings import PARTICIPATION, SIDES, Numbers
from dashboard.flows import counted
from dashboard.panels import bounds_of
from dashboard.words import Words
from pipeline.published import CONSTRUCT, PROGRAMME

HALF = 0.5
STEP = 5  # counts are told in steps of five
NEVER = ("few_scores", "few_groups", "few_change", "few_gaps", "few_comments", "few_money")
INSTEAD = ("few_talk", "few_pool", "few_forecast")


def has_scores(numbers: Numbers) -> bool:
    """Whether any release so far shows a score of the whole programme."""
    rows = numbers.select(view=PROGRAMME, unit="points")
    return bool((rows["shown"] & (rows["claim"] == "describes")).any())


def is_too_small(numbers: Numbers) -> bool:
    """Whether even an answer of everybody asked would give no score: told by the counts and the thresholds."""
    least = numbers.latest.thresholds.get("respondents_n")
    asked = [numbers.now("flow_invited", side) for side in SIDES]
    return isinstance(least, int) and any(
        each is not None and each.shown and each.numbers[0] + STEP - 1 < least for each in asked
    )


def later(numbers: Numbers, words: Words) -> list[str]:
    """One line for each thing that needs more rounds or people than there are."""
    n = len(numbers.releases)
    gaps = numbers.select(view=CONSTRUCT, metric="perception_gap", release=numbers.latest.id)
    waits = {
        "later_change": n < 2,
        "later_steady": n < 2,
        "later_trend": n < 3,
        "later_gap": not gaps["shown"].any(),
        "later_case": numbers.latest.case is None,
    }
    return [words(key) for key, is_waiting in waits.items() if is_waiting]


def small(numbers: Numbers, words: Words) -> tuple[list[str], list[str]]:
    """Of a programme without scores: what is not shown, and what to do instead, a line each."""
    least = numbers.latest.thresholds.get("respondents_n", numbers.latest.thresholds.get("score_n"))
    first = "few_scores" if is_too_small(numbers) else "few_scores_yet"
    return [words(first, n=least), *(words(key) for key in NEVER[1:])], [words(key, n=least) for key in INSTEAD]


def in_a_few_words(numbers: Numbers, words: Words) -> list[str]:
    """What can be told of any programme: its pairings, and how many take part."""
    started, active = (numbers.now(f"flow_pairings_{name}", "both") for name in ("started", "active"))
    said = []
    if started is not None and active is not None:
        told = {"started": counted(words, started.numbers[0]), "active": counted(words, active.numbers[0])}
        said.append(words("few_pairings", **told))
    part = numbers.now(PARTICIPATION, "both")
    if part is not None and part.shown:
        _, low, high = part.numbers
        key = "few_over_half" if low > HALF else "few_under_half" if high < HALF else "few_about_half"
        said.append(words(key, bounds=bounds_of(words, part)))
    return said
