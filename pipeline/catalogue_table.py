"""Writes the catalogue of metrics as the table that this room's README carries."""

from pipeline.metric import catalogue

HEAD = """| metric | what it says | sides | from | unit | least people a side |
|---|---|---|---|---|---|"""


def metrics_table() -> str:
    """One line a metric, in Markdown."""
    lines = [
        f"| `{each.id}` {each.label['en']} | {each.definition['en']} | {', '.join(each.sides)} "
        f"| {', '.join(each.constructs) or 'invitations'} | {each.unit} | {each.minimum_n} |"
        for each in catalogue().values()
    ]
    return "\n".join([HEAD, *lines])
