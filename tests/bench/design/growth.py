"""What territories cost as units and territories grow: one thread, 5 %, drawn into docs/img."""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.bench.design.cases import result
from tests.bench.design.solvers import Outcome, ours
from tests.bench.report import Result
from tests.plotting import line_chart

UNITS, TERRITORIES = ("50k", "100k", "200k", "400k", "1m"), (10, 20, 50, 100, 200, 500, 1_000, 2_000)
FIFTY, MANY = 50, "200k"
CHARTS, NUMBERS = Path("docs/img"), Path(".local/design-growth.json")


def growth() -> list[Result]:
    """Design at each size; write the numbers and the charts after each, so that a broken run is not in vain."""
    by_units: list[tuple[int, Outcome]] = []
    by_territories: list[tuple[int, Outcome]] = []
    for name in UNITS:
        one = ours(name, FIFTY)
        by_units.append((len(one.labels), one))
        _keep(by_units, by_territories)
    for territories in TERRITORIES:
        by_territories.append((territories, ours(MANY, territories)))
        _keep(by_units, by_territories)
    return [
        result(f"growth-{what}-{size}", one.cost.cpu_s, "CPU s", note=_told(one))
        for what, series in (("units", by_units), ("territories", by_territories))
        for size, one in series
    ]


def _told(one: Outcome) -> str:
    return f"{one.told()}, gap {100 * one.cost.note['gap']:.2f} %"


def _keep(units: Sequence[tuple[int, Outcome]], territories: Sequence[tuple[int, Outcome]]) -> None:
    NUMBERS.parent.mkdir(parents=True, exist_ok=True)
    told = {
        what: [
            {"size": size, "cpu_s": one.cost.cpu_s, "peak_mb": one.cost.peak_mb, "gap": one.cost.note["gap"]}
            for size, one in series
        ]
        for what, series in (("units", units), ("territories", territories))
    }
    NUMBERS.write_text(json.dumps(told, indent=1) + "\n")
    for what, series, label in (
        ("units", units, f"accounts, in {FIFTY} territories"),
        ("territories", territories, f"territories, of {MANY} accounts"),
    ):
        if series:
            line_chart(
                CHARTS / f"design-growth-{what}.svg",
                f"CPU seconds of a design run, by {what}",
                label,
                "seconds of one thread",
                {"design": [(size, one.cost.cpu_s) for size, one in series]},
                log_x=True,
                log_y=True,
            )
