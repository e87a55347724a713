"""Metrics' projections and figures, against a recomputation from the commands and, for trees, the log."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from shared.contracts import assignment
from shared.contracts.identity import ORGANISATION
from tests.faults.checks import Finding, report
from tests.service.metrics.recomputation import AS_IS, AS_WAS, Inputs, Rows, recompute, recompute_by_rep
from tests.service.metrics.telling import read_cells, trace_all
from tests.stateful.differences import differ
from tests.stateful.log import Read
from tests.stateful.model import BEGIN, Model
from tests.stateful.stage import Stage

_VIEWS = {"as_was": AS_WAS, "as_is": AS_IS}


async def judge_projections(stage: Stage, model: Model, reads: Iterable[Read]) -> list[Finding]:
    """J: timelines, coverages and every cell of the figures; what is answered over HTTP, to the cent."""
    alignments = model.alignments()
    timelines = await stage.rows(
        "metrics", "SELECT account_id, version, territory_id, valid_from FROM alignment_events"
    )
    coverages = await stage.rows(
        "metrics", "SELECT coverage_id, territory_id, rep_id, valid_from, valid_to FROM coverages"
    )
    inputs = _inputs(model, reads, alignments)
    await trace_all(stage.transactor())
    async with stage.engines["metrics"].connect() as connection:
        cells = await read_cells(connection)
    expected = recompute(inputs)
    return [
        *differ(
            "J: timelines",
            timelines,
            [(*key, one.to_territory_id, one.valid_from) for key, one in alignments.items()],
        ),
        *differ(
            "J: coverages", coverages, [(key, *asdict(one).values()) for key, one in model.coverages.items()]
        ),
        *report(
            "J: figures",
            [
                f"{k}: {cells.get(k)} for {expected.get(k)}"
                for k in cells.keys() | expected.keys()
                if cells.get(k) != expected.get(k)
            ],
        ),
        *await _answered(stage, inputs, expected),
    ]


def _inputs(model: Model, reads: Iterable[Read], alignments: Any) -> Inputs:
    """Return what the figures follow from: facts, alignments and coverages by the model, trees by the log."""
    return Inputs(
        facts=model.facts,
        alignments=alignments,
        activations=[
            assignment.PlanActivated.model_validate_json(read.value or b"")
            for read in reads
            if read.wire_type == assignment.PlanActivated.TYPE
        ],
        trees=[
            assignment.TreePublished.model_validate_json(read.value or b"")
            for read in reads
            if read.wire_type == assignment.TreePublished.TYPE
        ],
        coverages=[
            (
                assignment.CoverageStarted(
                    coverage_id=key,
                    territory_id=one.territory_id,
                    rep_id=one.rep_id,
                    role="primary",
                    share_percent=Decimal(100),
                    valid_from=one.valid_from,
                ),
                one.valid_to,
            )
            for key, one in model.coverages.items()
        ],
    )


async def _answered(stage: Stage, inputs: Inputs, cells: Any) -> list[Finding]:
    """Ask for revenue by territory and by rep, as it was and as it is."""
    wrong = []
    for view, number in _VIEWS.items():
        by_territory: Counter[str | None] = Counter()
        for (of_view, territory, _, _), figures in cells.items():
            if of_view == number and territory != ORGANISATION:
                by_territory[str(territory)] += figures.get("revenue_minor", 0)
        wrong += await _compare(stage, view, "territory", by_territory)
        rows: Rows = recompute_by_rep(inputs, number)
        by_rep: Counter[str | None] = Counter()
        for (rep, _, _), figures in rows.items():
            by_rep[str(rep) if rep else None] += figures.get("revenue_minor", 0)
        wrong += await _compare(stage, view, "rep", by_rep)
    return report("J: revenue as answered", wrong)


async def _compare(stage: Stage, view: str, by: str, expected: Counter[str | None]) -> list[str]:
    period = {"from": str((BEGIN.date()).replace(day=1)), "to": "2027-01-01"}
    told = await stage.get("metrics", "/v1/metrics", metric_id="revenue", view=view, group_by=by, **period)
    found: Counter[str | None] = Counter()
    for row in told["rows"]:
        for value in row["values"]:
            found[row[f"{by}_id"]] += int(Decimal(value["value"] or 0) * 100)
    return [
        f"{view} {by} {key}: {found[key]} for {expected[key]}"
        for key in found.keys() | expected.keys()
        if found[key] != expected[key]
    ]
