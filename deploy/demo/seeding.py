"""Seeds the demo organisation through the public APIs; every step may be repeated, a finished one is skipped."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, TypeVar

from deploy.demo.arrival import wait_for_diffs, wait_for_metrics
from deploy.demo.client import Installation
from deploy.demo.failing import DemoFailed
from deploy.demo.ledger import Ledger
from deploy.demo.organisation import Organisation
from deploy.demo.posting import post_facts
from deploy.demo.progress import Steps
from deploy.demo.protocols import lay_down_protocols
from deploy.demo.school import open_school
from deploy.demo.tree import id_of, territory_id

PLAN_ID = id_of("plan", "United States")
PLAN_NAME = "United States"
SUBJECT = "demo-seed"

_ROWS_PER_IMPORT = 20_000
_DONE = re.compile(r"^Demo organisation complete: (\d+) accounts, (\d+) facts")

T = TypeVar("T")


@dataclass(frozen=True)
class Seeded:
    """What stands in the installation."""

    accounts: int
    facts: int


class Seeding:
    """Brings one installation to the demo's state."""

    def __init__(self, installation: Installation, steps: Steps) -> None:
        self._assignment = installation.service("assignment", role="admin", subject=SUBJECT)
        self._metrics = installation.service("metrics", role="admin", subject=SUBJECT)
        self._collab = installation.service("collab", role="admin", subject=SUBJECT)
        self._steps = steps

    def find(self) -> Seeded | None:
        """Return what an earlier seeding completed. Its mark is a note on the demo's plan, beside the data."""
        notes = self._collab.pages("/v1/notes", subject_type="plan", subject_id=str(PLAN_ID))
        marks = [found for note in notes if (found := _DONE.match(note["body"] or ""))]
        return max((Seeded(int(m[1]), int(m[2])) for m in marks), key=lambda s: s.accounts, default=None)

    def seed(self, organisation: Organisation, today: date) -> Seeded:
        """Carry out every step; `today` counts for an organisation whose plan is not live yet."""
        self._import_accounts(organisation)
        self._import_reps(organisation)
        today = self._put_plan_in_force(organisation, today)
        self._cover_territories(organisation, today)
        with self._steps.step("certifications, requirements and programmes laid down"):
            open_school(self._collab)
        with self._steps.step("protocols laid down"):
            lay_down_protocols(self._collab)
        ledger = Ledger()
        with self._steps.step(f"{organisation.size * 9:,} facts or so posted", organisation.size) as advance:
            post_facts(self._metrics, organisation.facts(today, ledger, passed=advance))
        with self._steps.step(f"{ledger.facts:,} facts rolled up by metrics, figures as posted"):
            wait_for_metrics(self._metrics, ledger, today)
        with self._steps.step("account figures known to assignment"):
            wait_for_diffs(self._assignment, self._metrics, self._live_plan_id(), ledger.posted)
        done = Seeded(organisation.size, ledger.posted)
        self._collab.post(
            "/v1/notes", {"subject": {"type": "plan", "id": str(PLAN_ID)}, "body": _mark(done, today)}
        )
        return done

    def _import_accounts(self, organisation: Organisation) -> None:
        with self._steps.step(f"{organisation.size:,} accounts imported", organisation.size) as advance:
            for rows in chunks((a.body() for a in organisation.accounts()), _ROWS_PER_IMPORT):
                _require_all_taken(self._assignment.upload("/v1/accounts/imports", iter(rows)).body)
                advance(len(rows))

    def _import_reps(self, organisation: Organisation) -> None:
        with self._steps.step(f"{len(organisation.team)} reps imported"):
            rows = (rep.body() for rep in organisation.team)
            _require_all_taken(self._assignment.upload("/v1/reps/imports", rows).body)

    def _put_plan_in_force(self, organisation: Organisation, today: date) -> date:
        plan = self._assignment.find(f"/v1/plans/{PLAN_ID}")
        if plan is not None and plan.body["state"] != "draft":
            return self._day_of_first_activation()
        title = f"{len(organisation.territories)} territories and {len(organisation.rules)} rules in force"
        with self._steps.step(title):
            if plan is None:
                draft = {"name": PLAN_NAME, "plan_id": str(PLAN_ID)}
                plan = self._assignment.post("/v1/plans", draft)
            tree = {"territories": [territory.body() for territory in organisation.territories]}
            rules = {"rules": [rule.body() for rule in organisation.rules]}
            path = f"/v1/plans/{PLAN_ID}"
            tag = self._assignment.put(f"{path}/territories", tree, etag=plan.etag or "").etag
            tag = self._assignment.put(f"{path}/rules", rules, etag=tag or "").etag
            start = {"effective_at": start_of(today).isoformat()}
            self._assignment.post(f"{path}/activations", start, etag=tag)
        return today

    def _day_of_first_activation(self) -> date:
        first = self._assignment.get("/v1/activations", plan_id=str(PLAN_ID), limit=1).body["items"][0]
        return datetime.fromisoformat(first["effective_at"]).date() + timedelta(days=365)

    def _cover_territories(self, organisation: Organisation, today: date) -> None:
        with self._steps.step(f"{len(organisation.team)} territories covered"):
            ids = {rep["external_id"]: rep["rep_id"] for rep in self._assignment.pages("/v1/reps")}
            covered = {c["territory_id"] for c in self._assignment.pages("/v1/coverages")}
            for rep in organisation.team:
                territory = str(territory_id(rep.territory))
                if territory not in covered:
                    coverage = {"territory_id": territory, "rep_id": ids[rep.external_id]}
                    since = start_of(today).isoformat()
                    self._assignment.post("/v1/coverages", {**coverage, "valid_from": since})

    def _live_plan_id(self) -> str:
        return str(self._assignment.get("/v1/plans", state="active").body["items"][0]["plan_id"])


def start_of(today: date) -> datetime:
    """Return when the demo's plan went live: before the first fact of the year."""
    return datetime.combine(today, time(), UTC) - timedelta(days=365)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut a stream into lists."""
    stream = iter(items)
    while chunk := list(islice(stream, size)):
        yield chunk


def _mark(done: Seeded, today: date) -> str:
    return f"Demo organisation complete: {done.accounts} accounts, {done.facts} facts of the year before {today}."


def _require_all_taken(report: dict[str, Any]) -> None:
    if report["rejected"]:
        first = report["errors"][0]
        raise DemoFailed(f"{report['rejected']} rows were rejected, the first: {first['detail']}")
