"""Says what a programme may decide about its results: thresholds, reporting attributes, reporting groups.

Thresholds only rise from the least ones. Groups map each value of an attribute to the name it is reported under;
`*` stands for every value that is not listed, and for none. What is `FIXED` may change until the first round opens.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any

from data.errors import RapportError

LEAST: Mapping[str, int] = {"score_n": 5, "staying_n": 20, "two_way_n": 10, "comment_n": 10}
MOST = 1000
ATTRIBUTES = ("cohort", "department", "grade", "location")
MOST_ATTRIBUTES = 2
DEFAULTS: Mapping[str, Any] = {"attributes": ["department", "location"], **LEAST}
EVERYTHING_ELSE = "*"
NOT_STATED = ""  # as invitations keep it
LONGEST_NAME = 120
RESERVED = ("all", "not stated", "programme")  # what a release calls the whole, and those without a group
DECIDED = "decided"  # who decided what, and when
FIXED = (*LEAST, "attributes", "groups", DECIDED)
Groups = Mapping[str, Mapping[str, str]]  # attribute → value → reporting group


def settled(decisions: Mapping[str, Any]) -> dict[str, Any]:
    """What the decisions come to, the defaults filled in; raises RapportError where one is not allowed.

    Entries that are not about numbers, such as the cadence, are left out.
    """
    counts = {name: _count(decisions, name) for name in LEAST}
    return {**counts, "attributes": _attributes(decisions), "groups": _groups(decisions)}


def fixed_part(decisions: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that do not change any more once a round has opened, as they are kept."""
    return {name: decisions[name] for name in FIXED if name in decisions}


def group_of(groups: Groups, attribute: str, value: str) -> str:
    """The group that somebody with this value is reported in; their value where the attribute has no groups."""
    known = groups.get(attribute)
    return value if known is None else known.get(value, known.get(EVERYTHING_ELSE, NOT_STATED))


def _count(decisions: Mapping[str, Any], name: str) -> int:
    least = LEAST[name]
    value = decisions.get(name, least)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST:
        raise RapportError(
            f"The threshold {name} must be a whole number from {least} up to {MOST}; it may only be raised."
        )
    return value


def _attributes(decisions: Mapping[str, Any]) -> tuple[str, ...]:
    told = decisions.get("attributes", ())
    names = tuple(told) if isinstance(told, list | tuple) else (told,)
    unknown = [name for name in names if name not in ATTRIBUTES]
    if unknown or len(names) > MOST_ATTRIBUTES or len(set(names)) < len(names):
        raise RapportError(
            f"A programme reports by at most {MOST_ATTRIBUTES} of {', '.join(ATTRIBUTES)}; "
            f"it decided on {', '.join(map(str, names))}."
        )
    return names


def _groups(decisions: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    told = decisions.get("groups", {})
    if not isinstance(told, Mapping) or any(name not in ATTRIBUTES for name in told):
        raise RapportError(f"Reporting groups are given for {', '.join(ATTRIBUTES)}, each value with its group's name.")
    return {name: _names(name, values) for name, values in told.items()}


def _names(attribute: str, values: object) -> dict[str, str]:
    if not isinstance(values, Mapping) or not all(isinstance(each, str) for pair in values.items() for each in pair):
        raise RapportError(f"The groups of {attribute} are a table of value and group, both text.")
    for group in values.values():
        is_long, is_odd = len(group) > LONGEST_NAME, any(unicodedata.category(sign)[0] == "C" for sign in group)
        if is_long or is_odd or group != group.strip() or group.casefold() in RESERVED:
            raise RapportError(
                f"A reporting group of {attribute} cannot be called {group[:LONGEST_NAME]!r}; expected a name of one "
                f"line, at most {LONGEST_NAME} characters, other than {', '.join(RESERVED)}."
            )
    return dict(values)
