"""The requests that the machine makes, each with what the model says will come of it.

`foreseen` is the status that has to be answered; `happen` tells the model what was done, with the answer's body where
ids come from there. Refused commands change nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from shared.contracts import assignment
from shared.contracts.sales import Fact
from tests.stateful.model import COUNTIES, Model, Rules


@dataclass(frozen=True, slots=True)
class Request:
    """A request as sent, without its Idempotency-Key."""

    service: str
    method: str
    path: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def to_json(service: str, method: str, path: str, body: Any, *, version: int | None = None) -> Request:
    """Return a request with a JSON body."""
    headers = {"content-type": "application/json"}
    if version is not None:
        headers["if-match"] = f'"{version}"'
    return Request(service, method, path, json.dumps(body).encode(), headers)


class Command(Protocol):
    """What somebody asks for."""

    def request(self, model: Model, /) -> Request:
        """Return how it is asked for."""
        ...

    def foreseen(self, model: Model, /) -> int:
        """Return the status that it has to be answered with now."""
        ...

    def happen(self, model: Model, at: datetime, answer: Any, /) -> None:
        """Change the model as the command has changed the product."""
        ...


@dataclass(frozen=True, slots=True)
class ImportAccounts:
    """Register or change accounts: name, county, employees. A row without a name is left out of it."""

    rows: tuple[tuple[str, str, int], ...]

    def request(self, _model: Model) -> Request:
        lines = [
            json.dumps({"external_id": name, "name": "Some company", "county": county, "employees": count})
            for name, county, count in self.rows
        ]
        headers = {"content-type": "application/x-ndjson"}
        return Request("assignment", "POST", "/v1/accounts/imports", "\n".join(lines).encode(), headers)

    def foreseen(self, _model: Model) -> int:
        return 200

    def happen(self, model: Model, at: datetime, answer: Any) -> None:
        good = [row for row in self.rows if row[0]]
        for name, county, count in good:
            model.import_account(name, county, count, at)
        assert (answer["received"], answer["rejected"]) == (len(self.rows), len(self.rows) - len(good)), (
            answer
        )


@dataclass(frozen=True, slots=True)
class DraftPlan:
    """A new draft, or a clone of a plan."""

    source: UUID | None = None

    def request(self, _model: Model) -> Request:
        path = "/v1/plans" if self.source is None else f"/v1/plans/{self.source}/clones"
        return to_json("assignment", "POST", path, {"name": "Plan"})

    def foreseen(self, _model: Model) -> int:
        return 201

    def happen(self, model: Model, _at: datetime, answer: Any) -> None:
        rules = (0, 1, 2) if self.source is None else model.plans[self.source].rules
        model.draft(UUID(answer["plan_id"]), rules, based_on=self.source)


@dataclass(frozen=True, slots=True)
class SetTree:
    """A draft's territories: a root with three below it, one of them below another."""

    plan_id: UUID
    version: int

    def request(self, model: Model) -> Request:
        root, (city, north, south) = model.names.root, model.names.territories
        parents = {root: None, north: root, south: root, city: north}
        territories = [
            {"territory_id": str(one), "name": f"Territory {number}", "kind": "geographic"}
            | ({"parent_id": str(parent)} if parent else {})
            for number, (one, parent) in enumerate(parents.items())
        ]
        path = f"/v1/plans/{self.plan_id}/territories"
        return to_json("assignment", "PUT", path, {"territories": territories}, version=self.version)

    def foreseen(self, _model: Model) -> int:
        return 200

    def happen(self, model: Model, _at: datetime, _answer: Any) -> None:
        model.revise(self.plan_id)


@dataclass(frozen=True, slots=True)
class SetRules:
    """A draft's rules, at the version that the caller has read; `astray` sends a county where nobody is."""

    plan_id: UUID
    version: int
    rules: Rules
    astray: bool = False

    def request(self, model: Model) -> Request:
        rules = []
        for position, (county, to) in enumerate(zip(COUNTIES[:3], self.rules, strict=True)):
            territory = model.names.territories[to]
            astray = UUID(int=territory.int ^ 1) if self.astray and position == 2 else territory
            rules.append(
                {
                    "rule_id": str(UUID(int=model.names.root.int ^ (position + 1))),
                    "name": f"county {county}",
                    "territory_id": str(astray),
                    "position": 10,
                    "condition": {"field": "county", "op": "eq", "value": county},
                }
            )
        path = f"/v1/plans/{self.plan_id}/rules"
        return to_json("assignment", "PUT", path, {"rules": rules}, version=self.version)

    def foreseen(self, model: Model) -> int:
        plan = model.plans[self.plan_id]
        if plan.state != "draft":
            return 409
        if plan.version != self.version:
            return 412
        return 422 if self.astray else 200

    def happen(self, model: Model, _at: datetime, answer: Any) -> None:
        model.revise(self.plan_id, self.rules)
        assert answer["version"] == model.plans[self.plan_id].version


@dataclass(frozen=True, slots=True)
class Activate:
    """Put a plan in force, at the version that the caller has read."""

    plan_id: UUID
    version: int

    def request(self, _model: Model) -> Request:
        return to_json(
            "assignment", "POST", f"/v1/plans/{self.plan_id}/activations", {}, version=self.version
        )

    def foreseen(self, model: Model) -> int:
        plan = model.plans[self.plan_id]
        if plan.state == "active":
            return 409
        if plan.version != self.version:
            return 412
        return 409 if model.gate_blocks(plan.rules) else 201

    def happen(self, model: Model, at: datetime, answer: Any) -> None:
        moved = model.activate(self.plan_id, at)
        assert (answer["sequence"], answer["moved"]) == (model.sequence, moved), answer


@dataclass(frozen=True, slots=True)
class Cover:
    """Have a rep cover a territory, taking it over from whoever does; a rep that is not known is refused."""

    territory_id: UUID
    rep_id: UUID

    def request(self, _model: Model) -> Request:
        body = {"territory_id": str(self.territory_id), "rep_id": str(self.rep_id)}
        return to_json("assignment", "POST", "/v1/coverages", body)

    def foreseen(self, model: Model) -> int:
        running = model.running(self.territory_id)
        if running is not None and model.coverages[running].rep_id == self.rep_id:
            return 409
        return 201 if self.rep_id in model.names.reps else 422

    def happen(self, model: Model, at: datetime, answer: Any) -> None:
        model.cover(UUID(answer["coverage_id"]), self.territory_id, self.rep_id, at)


@dataclass(frozen=True, slots=True)
class EndCoverage:
    """End a coverage now."""

    coverage_id: UUID

    def request(self, _model: Model) -> Request:
        return to_json("assignment", "POST", f"/v1/coverages/{self.coverage_id}/endings", {})

    def foreseen(self, model: Model) -> int:
        return 200 if model.coverages[self.coverage_id].valid_to is None else 409

    def happen(self, model: Model, at: datetime, _answer: Any) -> None:
        model.end(self.coverage_id, at)


@dataclass(frozen=True, slots=True)
class ImportReps:
    """Register the example's reps, once."""

    def request(self, model: Model) -> Request:
        lines = [json.dumps({"external_id": name, "name": "Some rep"}) for name in model.names.rep_names]
        headers = {"content-type": "application/x-ndjson"}
        return Request("assignment", "POST", "/v1/reps/imports", "\n".join(lines).encode(), headers)

    def foreseen(self, _model: Model) -> int:
        return 200

    def happen(self, model: Model, _at: datetime, _answer: Any) -> None:
        for rep_id in model.names.reps:
            model.tell(assignment.REPS, rep_id, assignment.RepRegistered.TYPE)


@dataclass(frozen=True, slots=True)
class TellFacts:
    """Orders, new ones and corrections; `bad` are sent along and cannot be counted."""

    facts: tuple[Fact, ...]
    bad: tuple[Any, ...] = ()

    def request(self, _model: Model) -> Request:
        told = [fact.model_dump(mode="json", exclude_none=True) for fact in self.facts]
        return to_json("metrics", "POST", "/v1/facts", {"facts": [*told, *self.bad]})

    def foreseen(self, _model: Model) -> int:
        return 202 if self.facts or self.bad else 422

    def happen(self, model: Model, _at: datetime, answer: Any) -> None:
        statuses = [item["status"] for item in answer["items"]]
        known = {fact.entity_key for fact in model.facts}
        for fact, status in zip(self.facts, statuses, strict=False):
            if fact.entity_key not in known:
                assert status == "accepted", answer
            known.add(fact.entity_key)
        assert statuses[len(self.facts) :] == ["invalid"] * len(self.bad), answer
        model.tell_facts(list(self.facts), statuses)


def otherwise(request: Request) -> Request:
    """Return another request to the same route, as well formed."""
    if version := request.headers.get("if-match"):
        return replace(
            request, headers={**request.headers, "if-match": f'"{int(version.strip(chr(34))) + 1}"'}
        )
    if request.headers["content-type"] == "application/x-ndjson":
        return replace(request, content=request.content + b'\n{"external_id": "another", "name": "Another"}')
    body = json.loads(request.content)
    if "facts" in body:
        body["facts"].append({})
    elif "name" in body:
        body["name"] = "Another plan"
    elif "rep_id" in body:
        body["rep_id"] = str(UUID(int=9))
    else:
        body["valid_to"] = "2999-01-01T00:00:00Z"
    return replace(request, content=json.dumps(body).encode())
