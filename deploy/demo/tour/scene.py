"""The scenes of the tour in their order, and its report."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from deploy.demo.client import Installation
from deploy.demo.failing import DemoFailed
from deploy.demo.tour.balance import balance
from deploy.demo.tour.crm import connect_crm
from deploy.demo.tour.customers import look_after
from deploy.demo.tour.goals import set_goals
from deploy.demo.tour.realignment import realign
from deploy.demo.tour.stage import Stage, Stopwatch
from deploy.demo.tour.training import train
from deploy.demo.tour.working_together import work_together


@dataclass(frozen=True)
class Scene:
    """One strategy at work: its name in the report, its title, and what is played."""

    name: str
    title: str
    play: Callable[[Stage, Installation], None]


SCENES = (
    Scene("realignment", "One realignment, carried through three services", realign),
    Scene("technology", "A CRM beside it: imported, exported, and told of changes by webhook", connect_crm),
    Scene("territories", "Fair territories: balance, explanations, pins, a gate, coverage", balance),
    Scene("collaboration", "A team apart: notes, policies, protocols that run", work_together),
    Scene("customers", "What a customer needs, prefers and allows, and who fits them", look_after),
    Scene("goals", "Metrics that mean one thing, and goals that are followed", set_goals),
    Scene("training", "Who may cover what: training, certificates, and the day one ends", train),
)


def take_tour(installation: Installation, console: Console, report: Path) -> int:
    """Take the tour; return 0, or 1 with the sentence that tells what disagreed in the first scene that failed."""
    watch = Stopwatch()
    played: list[dict[str, Any]] = []
    for scene in SCENES:
        told = _play(scene, installation, console)
        played.append(told)
        _write(report, played)
        if not told["ok"]:
            failure = told["figures"]["failure"]
            console.print(
                f"\n[bold red]✗ The tour failed after {watch.seconds:.1f} s.[/] {failure}", soft_wrap=True
            )
            return 1
    checks = sum(scene["figures"]["checks"] for scene in played)
    console.print(f"\n[bold green]ok[/] The tour is over: {checks} checks hold, {watch.seconds:.1f} s.")
    return 0


def _play(scene: Scene, installation: Installation, console: Console) -> dict[str, Any]:
    stage, watch = Stage(console), Stopwatch()
    console.print(f"\n[bold]{scene.title}[/]")
    failure: Mapping[str, str] = {}
    try:
        scene.play(stage, installation)
    except DemoFailed as failed:
        failure = {"failure": str(failed)}
    return {
        "name": scene.name,
        "seconds": round(watch.seconds, 2),
        "ok": not failure,
        "figures": {**stage.figures, "checks": stage.checks, **failure},
    }


def _write(report: Path, scenes: list[dict[str, Any]]) -> None:
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps({"scenes": scenes}, indent=2) + "\n")
