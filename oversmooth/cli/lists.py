"""``oversmooth models``, ``metrics`` and ``mitigations``: what there is to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from oversmooth.cli import terminal

if TYPE_CHECKING:
    from oversmooth.core.papers import Paper
    from oversmooth.metrics import Definition
    from oversmooth.mitigations import Declaration, Mitigation
    from oversmooth.mitigations.parameters import Parameter


def models() -> None:
    """List the models known by name.

    Any hub id or local folder works too.
    """
    from oversmooth.models.catalog import CATALOG

    head = ("NAME", "FAMILY", "LAYERS", "WIDTH", "SIZE", "LICENCE", "NOTE")
    rows = [
        (
            each.name,
            each.family,
            f"{each.layers}",
            f"{each.hidden_size}",
            f"{each.megabytes} MB",
            each.licence,
            each.note,
        )
        for each in CATALOG
    ]
    typer.echo(terminal.columns([head, *rows]))


def metrics(
    long: Annotated[bool, typer.Option("--long", help="Add formula, paper and caveat to each.")] = False,
) -> None:
    """List the metrics, with range and source.

    Those of the second list set a variant beside the baseline; `oversmooth compare` measures them by itself.
    """
    from oversmooth.metrics import all_metrics, fidelity_names, get

    beside = [get(name) for name in fidelity_names()]
    if long:
        for item in (*all_metrics(), *beside):
            typer.echo(f"{_definition(item)}\n")
        return
    typer.echo(_summaries(all_metrics()))
    typer.echo(f"\nIn comparisons, beside the baseline:\n\n{_summaries(beside)}")


def mitigations(
    long: Annotated[
        bool,
        typer.Option("--long", help="Add formula, position, what it does, caveat and the meaning of each parameter."),
    ] = False,
) -> None:
    """List the mitigations, with their parameters, defaults and ranges.

    FOR says what a method is meant for. Frozen weights: a model as it is. Training: its paper trains the model with
    it, and another model may not bear its values. Ablation: it takes a part of the model away, to show what that part
    does. Control: what a method must beat.

    CAUSAL-SAFE methods keep earlier tokens of a causal model blind to later ones.

    layers and heads choose where a method acts, counted from 0, such as layers=0-2/5; without them it acts wherever
    it is meant to.
    """
    from oversmooth.mitigations import all_mitigations

    if long:
        for method in all_mitigations():
            typer.echo(f"{_mitigation(method)}\n")
        return
    head = ("NAME", "FOR", "CAUSAL-SAFE", "PAPER", "PARAMETERS")
    rows = [
        (
            said.name,
            _for(said),
            "yes" if said.causal_safe else "no",
            _cited(said.paper),
            "; ".join(map(_parameter, method.parameters().values())),
        )
        for method in all_mitigations()
        for said in (method.declaration,)
    ]
    typer.echo(terminal.columns([head, *rows]))


def _summaries(items: tuple[Definition, ...] | list[Definition]) -> str:
    head = ("NAME", "RANGE", "PAPER", "TELLS")
    rows = [(item.name, item.range_text(), _cited(item.paper), item.reads) for item in items]
    return terminal.columns([head, *rows])


def _definition(item: Definition) -> str:
    fields = (
        ("  range", f"{item.range_text()} {item.unit}".rstrip()),
        ("  formula", item.formula),
        ("  tells", item.reads),
        ("  but", item.caveat),
        ("  paper", item.paper.whole() if item.paper else "none"),
    )
    return f"{item.name}: {item.title}\n{terminal.columns(fields)}"


def _mitigation(method: type[Mitigation]) -> str:
    said = method.declaration
    fields = [
        ("  for", _for(said)),
        ("  formula", said.formula),
        ("  where", said.position),
        ("  in its paper", said.paper_position),
        ("  does", said.does),
        ("  but", said.caveat),
        ("  causal-safe", "yes" if said.causal_safe else "no: in a causal model earlier tokens see later ones"),
        ("  not with", ", ".join(said.excludes) or "–"),
        ("  paper", said.paper.whole() if said.paper else "none"),
    ]
    parameters = [(f"  {_parameter(each)}", _meaning(each)) for each in method.parameters().values()]
    return f"{said.name}: {said.title}\n{terminal.columns(fields)}\n\n{terminal.columns(parameters)}"


def _meaning(parameter: Parameter) -> str:
    # A choice says itself which of its words is the paper's.
    if parameter.paper is None or parameter.kind == "choice":
        return parameter.meaning
    return f"{parameter.meaning} Its paper: {parameter.write(parameter.paper)}."


def _for(said: Declaration) -> str:
    return "frozen weights" if said.meant == "inference" else said.meant


def _cited(paper: Paper | None) -> str:
    return paper.cite() if paper else "none"


def _parameter(parameter: Parameter) -> str:
    """``omega=-0.3 in [−1, 2]``, ``where=default (default | paper)``, ``layers``."""
    if parameter.kind in ("indices", "numbers"):
        return parameter.name
    told = f"{parameter.name}={parameter.write(parameter.default)}"
    span = parameter.range_text()
    return f"{told} in {span}" if parameter.kind in ("number", "integer") else f"{told} ({span})"
