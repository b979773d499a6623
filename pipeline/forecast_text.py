"""Writes the forecast and what a programme decided as text for people, and as plain data for machines."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from data.decisions import EVERYTHING_ELSE, LEAST, NOT_STATED
from data.terminal import table
from pipeline.deciding import Decided, Outlook
from pipeline.disclosure.thresholds import Thresholds
from pipeline.forecast import PROGRAMME, TWO_WAY, View
from pipeline.grouping import LEAST_INVITED, Group, Proposal

EVERY_FORM = "trust"  # an anchor
IN_TIME = ("kickoff", "pulse", "milestone", "closing")
LOCKED = "Thresholds and groups are locked: the first round has opened."
OPEN = "Thresholds and groups may change until the first round opens; then they are locked."
NO_SCORES = (
    "No score of this programme can ever be shown: it takes {n} people who answer on a side, and there are "
    "{mentors} mentors and {mentees} mentees. What remains is participation in words, and the Method page."
)
MOST_THAT_CAN = (
    "n and ± are expected, ± is half the 95 % interval. This is the most that can be shown: where people agree, or a "
    "difference between two results would tell of a few, more is withheld."
)


def outlook_text(found: Outlook) -> str:
    """Everything that HR needs before the first round, on one screen where groups are few."""
    named, limits = found.decided.programme, found.decided.thresholds
    head = (
        f"{named.name}: {found.n_pairings} pairings, {found.mentors} mentors, {found.mentees} mentees; "
        f"{_percent(found.response)} are taken to answer. {LOCKED if found.decided.is_locked else OPEN}"
    )
    if not any(view.is_possible and view.unit == "points" for view in found.views):
        small = NO_SCORES.format(n=limits.respondents_n, mentors=found.mentors, mentees=found.mentees)
        return f"{head}\n\n{small}"
    parts = [head, f"The whole programme\n{_programme(found.views)}"]
    parts += [f"By {view}\n{_groups(found.views, view)}" for view in _attributes(found.views)]
    parts += [_cells(found.views, limits), MOST_THAT_CAN]
    parts += [proposal_text(each) for each in found.proposals]
    return "\n\n".join(part for part in parts if part)


def outlook_data(found: Outlook) -> dict[str, Any]:
    """The same for machines: every view, with probabilities from 0 to 1."""
    return {
        **decided_data(found.decided),
        "response": found.response,
        "invited": {"pairings": found.n_pairings, "mentors": found.mentors, "mentees": found.mentees},
        "views": [_rounded(asdict(view)) for view in found.views],
        "proposals": [proposal_data(each) for each in found.proposals],
    }


def decided_text(found: Decided) -> str:
    """Thresholds, attributes and groups, who decided them, and whether they may still change."""
    limits = found.thresholds
    told = ", ".join(f"{name} {getattr(limits, name)}" for name in LEAST)
    lines = [f"{found.programme.name}: {told}; by {', '.join(limits.attributes) or 'no attribute'}."]
    lines += [f"{name}: {_groups_in_words(values)}" for name, values in found.groups.items()]
    lines += [f"{what[:1].upper()}{what[1:]} by {who['by']}, {who['at'][:10]}." for what, who in found.told.items()]
    return "\n".join([*lines, LOCKED if found.is_locked else OPEN])


def decided_data(found: Decided) -> dict[str, Any]:
    return {
        "programme": found.programme.programme_id,
        "locked": found.is_locked,
        "thresholds": found.thresholds.as_dict(),
        "groups": found.groups,
        "decided": found.told,
    }


def proposal_text(proposal: Proposal) -> str:
    """What would be merged, in words."""
    merged = [group for group in proposal.groups if len(group.values) > 1]
    if len(proposal.groups) == 1 and merged:
        return (
            f"{proposal.attribute}: too few people for two groups of {LEAST_INVITED} invited a side; "
            "the programme's result stands for all."
        )
    lines = [f"Proposed groups by {proposal.attribute}, at least {LEAST_INVITED} invited a side where there are two:"]
    lines += [f"  {_group_line(group)}" for group in proposal.groups]
    return "\n".join([*lines, f"  whoever has another one later: {_name(proposal.catch_all)}"])


def proposal_toml(found: Iterable[Proposal]) -> str:
    """The groups as a file that `rapport programme groups PROGRAMME FILE` takes, to change by hand first."""
    parts = []
    for each in found:
        lines = [f"# {line.strip()}" for line in proposal_text(each).splitlines()]
        lines += [f"[{each.attribute}]"]
        lines += [f"{_quoted(value)} = {_quoted(group)}" for value, group in each.mapping.items()]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def proposal_data(proposal: Proposal) -> dict[str, Any]:
    return {**asdict(proposal), "mapping": proposal.mapping}


# --- tables ----------------------------------------------------------------------------------------


def _programme(views: Sequence[View]) -> str:
    """A line for all metrics of a pulse whose numbers are alike."""
    alike: dict[tuple[Any, ...], list[str]] = {}
    whole = [each for each in views if each.view == PROGRAMME and each.side == _widest(views, each)]
    for view in sorted(whole, key=lambda each: (_in_time(each.pulse), each.side, each.half_width)):
        key = (view.pulse, view.side, _n(view), _width(view), _chance(view.chance, ever=view.is_possible))
        alike.setdefault(key, []).append(view.metric)
    columns = ["pulse", "side", "n", "±", "shown", "metrics"]
    rows = [dict(zip(columns, (*key, ", ".join(names)), strict=True)) for key, names in alike.items()]
    return table(rows, columns)


def _widest(views: Sequence[View], of: View) -> str:
    sides = {each.side for each in views if (each.metric, each.pulse, each.view) == (of.metric, of.pulse, of.view)}
    return "both" if "both" in sides else min(sides)


def _in_time(pulse: str) -> tuple[int, str]:
    return (IN_TIME.index(pulse) if pulse in IN_TIME else len(IN_TIME), pulse)


def _attributes(views: Iterable[View]) -> list[str]:
    return list(dict.fromkeys(each.view for each in views if each.view != PROGRAMME and TWO_WAY not in each.view))


def _groups(views: Sequence[View], view: str) -> str:
    """Both sides of a pulse: what is on every form, and the middle one of what takes turns."""
    of_pulse = [each for each in views if each.view == view and each.side == "both" and each.pulse == "pulse"]
    rows = []
    for group in dict.fromkeys(each.group for each in of_pulse):
        inside = [each for each in of_pulse if each.group == group and each.unit == "points"]
        anchor = next(each for each in inside if each.metric == EVERY_FORM)
        turns = [each for each in inside if each.asked_mentees < anchor.asked_mentees]
        middle = sorted(turns, key=lambda each: each.chance)[len(turns) // 2] if turns else None
        rows.append(
            {
                "group": group,
                "invited": f"{anchor.asked_mentors:.0f} + {anchor.asked_mentees:.0f}",
                "n": _n(anchor),
                "±": _width(anchor),
                "every form": _chance(anchor.chance, ever=anchor.is_possible),
                "in turn": _chance(middle.chance, ever=middle.is_possible) if middle else "",
                "over three rounds": _chance(anchor.chance_over_three or 0.0, ever=anchor.is_possible),
            }
        )
    return table(rows, list(rows[0]))


def _cells(views: Sequence[View], limits: Thresholds) -> str:
    """Two attributes at once: how many cells have enough people asked, and those that have a chance."""
    if len(_attributes(views)) < 2:
        return ""
    cells = [each for each in views if TWO_WAY in each.view and each.metric == EVERY_FORM and each.side == "both"]
    of_pulse = [each for each in cells if each.pulse == "pulse"]
    likely = [each for each in of_pulse if each.chance >= 0.5]
    named = "; ".join(f"{each.group} ({_chance(each.chance, ever=True)})" for each in likely)
    head = f"By {TWO_WAY.join(limits.attributes)}, from {limits.two_way_n} people a side"
    said = f"{len(of_pulse)} groups have so many on a side; {len(likely)} of them are likely to be shown"
    return f"{head}\n{said}{': ' if named else '.'}{named}"


def _n(view: View) -> str:
    counts = {"mentor": [view.n_mentors], "mentee": [view.n_mentees]}
    return " + ".join(f"{n:.0f}" for n in counts.get(view.side, [view.n_mentors, view.n_mentees]))


def _width(view: View) -> str:
    return f"{100 * view.half_width:.0f} %" if view.unit == "share" else f"{view.half_width:.0f}"


def _chance(chance: float, *, ever: bool) -> str:
    if not ever:
        return "never"
    return "< 1 %" if chance < 0.01 else "> 99 %" if chance > 0.99 else _percent(chance)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _group_line(group: Group) -> str:
    named = ", ".join(_name(value) for value in group.values)
    of = f" = {named}" if len(group.values) > 1 else ""
    return f"{_name(group.name)}: {group.mentors} mentors, {group.mentees} mentees{of}"


def _groups_in_words(values: Mapping[str, str]) -> str:
    listed: dict[str, list[str]] = {}
    for value, group in values.items():
        listed.setdefault(group, []).append("all others" if value == EVERYTHING_ELSE else _name(value))
    said = [
        _name(group) if names == [group] else f"{_name(group)} = {', '.join(names)}" for group, names in listed.items()
    ]
    return "; ".join(said)


def _name(value: str) -> str:
    return "not stated" if value == NOT_STATED else value


def _quoted(text: str) -> str:
    """A TOML string; JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}
