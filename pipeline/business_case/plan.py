"""States what the business case computes before anybody has looked at an outcome, and what differs since."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from data.errors import RapportError
from pipeline.business_case.assumptions import Assumptions, assumptions
from pipeline.business_case.protocol import retention_protocol
from pipeline.business_case.retention import COVARIATES
from pipeline.business_case.roster import ATTRIBUTES
from pipeline.metric import catalogue

CASE, PLAN = "case", "plan"  # a programme's entries in its decisions: what it decided, and what was registered first
OWN = ("offered_to", "min_tenure_months", "data_from", "assumptions", "decided")
LONGEST_TENURE = 600


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is compared with what. `offered_to`, `min_tenure_months` and `data_from` are the programme's own.

    `offered_to`: attribute → values of those who may enrol; nothing named is everyone. `data_from`: the day from
    which on the employment file holds everybody who left; None where the first exit in it is taken for that.
    """

    offered_to: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    min_tenure_months: int = 0
    data_from: date | None = None
    horizon: int = 12
    estimand: str = "ATO"
    covariates: tuple[str, ...] = COVARIATES
    negative_control: str = "exits that are not voluntary"
    engagement: str = "group-time effects against people who have not enrolled yet"

    def as_dict(self) -> dict[str, Any]:
        """In plain values, as a release keeps it."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return found

    def registered(self) -> dict[str, Any]:
        """What is kept before the first outcome is read: the plan, the printed protocol, digests of what the metrics
        mean, and one digest of it all."""
        protocol = {
            side: asdict(
                retention_protocol(
                    horizon=self.horizon,
                    covariates=self.covariates,
                    estimand="ATO",
                    side=side,
                )
            )
            for side in ("mentee", "mentor")
        }
        said = {"plan": self.as_dict(), "protocol": protocol, "definitions": _definitions()}
        return {**said, "sha256": hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()}


def deviations(registered: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The entries of the plan that are not what was registered, each with both values."""
    before, after = registered["plan"], now["plan"]
    names = sorted({*before, *after})
    changed = [name for name in names if before.get(name) != after.get(name)]
    found = [f"{name}: {_text(before.get(name))} → {_text(after.get(name))}" for name in changed]
    then, since = registered.get("definitions", {}), now["definitions"]  # none in a plan of an older version
    found += [f"definition: {name}" for name in sorted({*then, *since}) if then and then.get(name) != since.get(name)]
    if not found and registered["sha256"] != now["sha256"]:
        found.append("protocol: its wording")
    return found


def _definitions() -> dict[str, str]:
    """A digest of what each metric of the catalogue says it is."""
    said = {each.id: json.dumps([each.formula, dict(each.definition)], sort_keys=True) for each in catalogue().values()}
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in said.items()}


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value not in (None, {}, []) else "–"


def read_case(decisions: Mapping[str, Any]) -> tuple[Plan, Assumptions]:
    """The plan and the assumptions of a programme, defaults where it decided nothing; RapportError on a bad entry."""
    told = decisions.get(CASE, {})
    if not isinstance(told, Mapping):
        raise RapportError("The business case is decided on in a table.")
    unknown = sorted(set(told) - set(OWN))
    if unknown:
        raise RapportError(f"{unknown[0]!r} is nothing that the business case asks for; expected {', '.join(OWN[:4])}.")
    return _own(Plan(), told), assumptions(_dated(told.get("assumptions", {})))


def _own(plan: Plan, told: Mapping[str, Any]) -> Plan:
    offered = told.get("offered_to", {})
    if not isinstance(offered, Mapping) or not set(offered) <= set(ATTRIBUTES):
        raise RapportError(f"offered_to expects lists of values for {', '.join(ATTRIBUTES)}.")
    for name, values in offered.items():
        if not isinstance(values, list | tuple) or not values or not all(isinstance(each, str) for each in values):
            raise RapportError(f"offered_to.{name} expects a list of values, each a text.")
    months = told.get("min_tenure_months", 0)
    if not isinstance(months, int) or isinstance(months, bool) or not 0 <= months <= LONGEST_TENURE:
        raise RapportError(f"min_tenure_months expects whole months from 0 to {LONGEST_TENURE}.")
    return replace(
        plan,
        offered_to={name: tuple(sorted(values)) for name, values in sorted(offered.items())},
        min_tenure_months=months,
        data_from=_day(told.get("data_from"), "data_from"),
    )


def _dated(own: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    if not isinstance(own, Mapping) or not all(isinstance(each, Mapping) for each in own.values()):
        raise RapportError("Each assumption is a table with value, date, source and owner.")
    return {
        key: {name: _day(value, f"{key}.date") if name == "date" else value for name, value in one.items()}
        for key, one in own.items()
    }


def _day(value: object, name: str) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise RapportError(f"{name} expects a day such as 2026-03-02, not {value!r}.") from None
