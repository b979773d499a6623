"""Lists what HR should do this week, each with the way to where it is done."""

from dash import html

from dashboard.parts import Part
from dashboard.this_week import tasks
from dashboard.visit import Visit


def todo(visit: Visit) -> list[Part]:
    """The items of the list; none for whoever is not HR, or where nothing needs them."""
    today = visit.today
    if not visit.is_hr or today is None:
        return []
    found = tasks(visit.board("calendar"), visit.board("pairings"), today)
    return [html.Li(html.A(each.text(visit.words), href=_to(visit, each.path))) for each in found]


def _to(visit: Visit, path: str) -> str:
    """The place of a task; its anchor comes after what is chosen."""
    page, _, anchor = path.partition("#")
    return f"{visit.address.to(page)}#{anchor}" if anchor else visit.address.to(page)
