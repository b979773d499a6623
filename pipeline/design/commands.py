"""The verbs before a programme starts: what its size can show; draw who gets a place; check the draw; analyse it."""

from pathlib import Path
from typing import Annotated

import typer

from data import settings as reading_settings
from data.errors import RapportError
from data.terminal import Json, say, show_json

design = typer.Typer(
    help="Before a programme starts: what its size can show, and a drawn allocation of places.", no_args_is_help=True
)

People = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="CSV with person_id.")]
Drawn = Annotated[Path, typer.Argument(metavar="ALLOCATION", exists=True, dir_okay=False)]
Log = Annotated[Path, typer.Argument(metavar="LOG", exists=True, dir_okay=False, help="The .log.json of the draw.")]


@design.command("power")
def tell_power(
    mentees: Annotated[int, typer.Option(min=1, help="Mentees a cohort.")],
    base_rate: Annotated[float, typer.Option(help="Share that leaves within a year without mentoring, 0.12.")],
    comparisons: Annotated[int | None, typer.Option(min=1, help="Others a cohort; without it, as many.")] = None,
    rate: Annotated[float | None, typer.Option(help="A share hoped for: how likely it would be told.")] = None,
    cohorts: Annotated[str, typer.Option(help="Numbers of cohorts, comma between.")] = "1,2,3,5",
    plot: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Draw the table, too.")] = None,
    as_json: Json = False,
) -> None:
    """What a programme of this size can ever show of exits, after so many cohorts."""
    from pipeline.design.tell import outlook, outlook_data, outlook_text

    found = outlook(
        mentees=mentees,
        comparisons=comparisons if comparisons is not None else mentees,
        base_rate=base_rate,
        rate=rate,
        cohorts=_numbers(cohorts),
    )
    if plot is not None:
        from pipeline.design.plot import drawn

        plot.write_bytes(drawn(found))
    if as_json:
        show_json(outlook_data(found))
    else:
        say(outlook_text(found))


@design.command("allocate")
def draw(
    people: People,
    places: Annotated[int, typer.Option(min=1, help="In a stepped wedge, places a step.")],
    seed: Annotated[str, typer.Option(help="Agreed on before the list was known, such as a lottery's numbers.")],
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Who got a place; its log is written beside it.")],
    method: Annotated[str, typer.Option(help="lottery, wait-list or stepped-wedge")] = "lottery",
    strata: Annotated[str, typer.Option(help="Columns within which shares are kept even, comma between.")] = "",
    steps: Annotated[int | None, typer.Option(min=2, help="Of a stepped wedge.")] = None,
) -> None:
    """Draw who gets a place, so that anybody can draw it again from the list and the log."""
    from pipeline.business_case.allocation import allocate
    from pipeline.design.files import PERSON, read_people, write_allocation

    columns = tuple(name.strip() for name in strata.split(",") if name.strip())
    listed = read_people(people, columns)
    made = allocate(
        listed,
        places=places,
        method=method,  # type: ignore[arg-type] # `allocate` refuses another
        strata=columns,
        steps=steps,
        seed=seed,
        person=PERSON,
    )
    log = write_allocation(made, out, now=reading_settings.now())
    counts = ", ".join(f"{arm} {n}" for arm, n in made.table["arm"].value_counts().sort_index().items())
    say(f"{out}: {counts}. {log.name} holds all that is needed to draw it again.")


@design.command("check")
def check_draw(allocation: Drawn, log: Log, people: People) -> None:
    """Draw again from the list and the log, and compare."""
    from pipeline.business_case.allocation import check
    from pipeline.design.files import PERSON, read_allocation, read_people

    made = read_allocation(allocation, log)
    found = check(made, read_people(people, made.strata), person=PERSON)
    say("\n".join(found) or f"{allocation.name} is what the draw gives.")
    if found:
        raise typer.Exit(1)


@design.command("analyse")
def analyse(
    allocation: Drawn,
    log: Log,
    outcomes: Annotated[Path, typer.Argument(metavar="OUTCOMES", exists=True, dir_okay=False)],
    outcome: Annotated[str, typer.Option(help="The column of the outcome: 0 or 1, or a number.")] = "left",
    as_json: Json = False,
) -> None:
    """The effect of a drawn place on an outcome of everyone on the list, whatever they then did."""
    from pipeline.business_case.allocated import allocated_effect
    from pipeline.design.files import PERIOD, PERSON, read_allocation, read_outcomes
    from pipeline.design.tell import effect_data, effect_text

    observed = read_outcomes(outcomes, outcome)
    effect = allocated_effect(
        read_allocation(allocation, log),
        observed,
        outcome=outcome,
        period=PERIOD if PERIOD in observed else None,
        person=PERSON,
    )
    if as_json:
        show_json(effect_data(effect))
    else:
        say(effect_text(effect, outcome))


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(each) for each in text.split(",")))
    except ValueError:
        raise RapportError(f"--cohorts expects numbers such as 1,2,3, not {text!r}.") from None
