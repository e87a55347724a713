"""python -m tests.soak.charts: draw what a soak has sampled, into docs/img."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deploy.local.paths import LOCAL, REPOSITORY
from tests.plotting import line_chart

Samples = Sequence[dict[str, Any]]
Points = list[tuple[float, float]]


def draw(samples: Samples, folder: Path) -> list[Path]:
    """Draw memory, sessions, and what waits, over minutes; return the files."""
    names = list(samples[0]["memory"])
    services = dict.fromkeys(name.split(".")[0] for name in names)
    charts: dict[str, tuple[str, str, dict[str, Points]]] = {
        **{
            f"soak-memory-{service}": (
                f"Memory of {service}'s processes",
                "MB resident",
                {
                    name: _over(samples, lambda s, name=name: s["memory"][name])
                    for name in names
                    if name.startswith(service)
                },
            )
            for service in services
        },
        "soak-connections": (
            "Database sessions, open files and threads, all processes",
            "number",
            {
                "database sessions": _over(samples, lambda s: sum(s["sessions"].values())),
                "open files": _over(samples, lambda s: sum(s["files"].values())),
                "threads": _over(samples, lambda s: sum(s["threads"].values())),
            },
        ),
        "soak-waiting": (
            "What waits",
            "records, rows",
            {
                "lag of consumers, records": _over(samples, lambda s: s["lag"]),
                "outbox, rows": _over(samples, lambda s: s["outbox_rows"]),
            },
        ),
        "soak-outbox-age": (
            "Age of the oldest event that waits in an outbox",
            "seconds",
            {"age": _over(samples, lambda s: s["outbox_age"])},
        ),
        "soak-answers": (
            "Time to answer",
            "milliseconds",
            {"median": _over(samples, lambda s: s["p50_ms"]), "99 %": _over(samples, lambda s: s["p99_ms"])},
        ),
    }
    for name, (title, label, series) in charts.items():
        line_chart(folder / f"{name}.svg", title, "minutes", label, series)
    return [folder / f"{name}.svg" for name in charts]


def _over(samples: Samples, value: Callable[[dict[str, Any]], float]) -> Points:
    return [(sample["at"] / 60, float(value(sample))) for sample in samples]


if __name__ == "__main__":
    lines = (Path(LOCAL) / "soak" / "samples.jsonl").read_text().splitlines()
    for file in draw([json.loads(line) for line in lines], Path(REPOSITORY) / "docs" / "img"):
        print(file)
