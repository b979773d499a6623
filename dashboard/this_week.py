"""Says what the programme team should do this week: at most seven things, the most pressing first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from dashboard.words import Words

MOST = 7
SOON = timedelta(days=14)
Content = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One thing to do: the key of its words, how many, where to do it, and what else its words need."""

    key: str
    path: str
    n: int = 1
    values: Mapping[str, str] = field(default_factory=dict)

    def text(self, words: Words) -> str:
        """ "Answer 2 contact requests"."""
        told = {name: words.day(date.fromisoformat(day)) for name, day in self.values.items() if name == "day"}
        key = f"todo_{self.key}" if self.key in SINGLE else f"todo_{self.key}_{'one' if self.n == 1 else 'many'}"
        return words(key, n=self.n, **{**self.values, **told})


SINGLE = ("reply", "closes", "closes_by_hand", "opens", "unplanned")


def tasks(calendar: Content, pairings: Content, today: date) -> list[Task]:
    """From the two operational views of a programme, as of a day."""
    return [*_people(calendar, pairings), *_rounds(calendar, today)][:MOST]


def _people(calendar: Content, pairings: Content) -> Iterator[Task]:
    """People first: whoever waits for an answer, cannot be reached, or may need support."""
    counted = {
        ("contact", "/pairings#requests"): len(open_requests(pairings)),
        ("bounces", "/week#addresses"): len(calendar.get("bounces", ())),
        ("support", "/pairings#support"): len(may_need_support(pairings)),
    }
    yield from (Task(key=key, path=path, n=n) for (key, path), n in counted.items() if n)


def _rounds(calendar: Content, today: date) -> Iterator[Task]:
    unanswered = without_reply(calendar)
    if unanswered is not None:
        yield Task(key="reply", path="/week#reply", values={"number": str(unanswered["number"])})
    is_open = [each for each in calendar.get("rounds", ()) if each["state"] == "open"]
    for each in is_open:
        key = "closes" if calendar["asks_by_itself"] else "closes_by_hand"
        yield Task(key=key, path="/week#rounds", values=_dated(each["number"], each["closes_on"]))
    ahead = calendar.get("next")
    if ahead is not None and date.fromisoformat(ahead["opens_on"]) <= today + SOON:
        yield Task(key="opens", path="/week#rounds", values={"day": ahead["opens_on"]})
    if not is_open and ahead is None and calendar:
        yield Task(key="unplanned", path="/week#rounds")


def _dated(number: int, day: str) -> dict[str, str]:
    return {"number": str(number), "day": day}


def open_requests(pairings: Content) -> list[Content]:
    """Requests to be contacted that nobody has answered, oldest first."""
    return [each for each in pairings.get("requests", ()) if each["answered_on"] is None]


def may_need_support(pairings: Content) -> list[Content]:
    """Running pairings of which a rule stands, and for which nothing was noted since; the longest standing first."""
    running = (each for each in pairings.get("pairings", ()) if each["ended_on"] is None and each["support"])
    waiting = [each for each in running if not is_looked_after(each)]
    return sorted(waiting, key=lambda each: (each["support"][0]["since"], each["pairing"]))


def is_looked_after(pairing: Content) -> bool:
    """Whether the team noted something since the newest rule was raised."""
    newest = max(each["since"] for each in pairing["support"])
    return any(each["on"] >= newest for each in pairing["actions"])


def without_reply(calendar: Content) -> Content | None:
    """The round that closed last, while nobody has written "You said … we will …" to it."""
    closed = [each for each in calendar.get("rounds", ()) if each["state"] == "closed"]
    return closed[-1] if closed and closed[-1]["reply"] is None else None
