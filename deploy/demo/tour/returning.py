"""The way back: roll back with one call, and see all three services agree again."""

from collections.abc import Mapping
from typing import Any

from deploy.demo.client import Installation, Service, wait_until
from deploy.demo.tour.following import PATIENCE, Credits, accept, handoff_counts, show_credits
from deploy.demo.tour.planning import AccountView, Diff, Draft, Side
from deploy.demo.tour.stage import Stage, Stopwatch
from deploy.demo.tour.subscriber import Subscriber

Accounts = dict[str, AccountView]

# A recount of millions of facts is for a quiet hour, not for a tour.
_RECOUNTED_ACCOUNTS = 20_000


def roll_back(
    stage: Stage, assignment: Service, subscriber: Subscriber, draft: Draft, diff: Diff
) -> Mapping[str, Any]:
    """Take the activation back."""
    stage.step("Roll back: one call")
    answer = assignment.post(f"/v1/plans/{draft.plan_id}/rollbacks")
    body: dict[str, Any] = answer.body
    stage.show(answer, {name: body[name] for name in ("kind", "sequence", "moved", "effective_at")})
    stage.check("the plan of before is live again", holds=body["plan_id"] == draft.live_plan_id)
    events = subscriber.events_of(body["activation_id"], count=len(diff.moved), seconds=PATIENCE)
    back = {event.data["account_id"] for event in events} == set(diff.moved)
    stage.check(f"{len(events)} aligned events on Kafka bring the same accounts back", holds=back)
    stage.figures["rollback_seconds"] = round(answer.seconds, 3)
    return body


def see_all_agree(
    stage: Stage,
    installation: Installation,
    draft: Draft,
    diff: Diff,
    *,
    activation: Mapping[str, Any],
    rollback: Mapping[str, Any],
    before: Credits,
    accepted_account: str,
) -> None:
    """Compare the three services with how they stood before, and with each other."""
    stage.step("All three services agree again")
    since = Stopwatch()
    assignment, metrics, collab = (
        installation.service(name, role="viewer", subject="tour")
        for name in ("assignment", "metrics", "collab")
    )
    prover = installation.service("metrics", role="admin", subject="tour")
    for side in (draft.source, draft.target):
        same = set(accounts_of(assignment, side)) == set(side.accounts)
        stage.check(f"assignment: {side.name} has its {len(side.accounts)} accounts back", holds=same)

    def credit_is_back() -> str | None:
        return None if Credits.read(metrics) == before else "other figures than before"

    wait_until(credit_is_back, what="metrics", seconds=PATIENCE)
    show_credits(stage, draft, Credits.read(metrics))
    stage.confirm("metrics: both views are what they were before, for every territory, to the cent")
    if stage.figures["accounts"] <= _RECOUNTED_ACCOUNTS:
        _recount(stage, prover)
    _check_handoffs(stage, collab, activation, rollback, len(diff.moved))
    stage.figures["agreed_after_seconds"] = round(since.seconds, 3)
    (returning,) = collab.pages(
        "/v1/handoffs", activation_id=rollback["activation_id"], account_id=accepted_account
    )
    stage.say("The account whose handoff was accepted in between goes back with a handoff of its own:")
    accept(stage, installation, returning)


def _recount(stage: Stage, prover: Service) -> None:
    proof = prover.post("/v1/reconciliations")
    stage.show(proof, {name: f"{proof.body[name]:,}" for name in ("facts", "cells", "differing")})
    stage.check("metrics: a recount of every fact by other means finds the same", holds=proof.body["equal"])


def accounts_of(assignment: Service, side: Side) -> Accounts:
    """Return a territory's accounts as they are now."""
    accounts = assignment.pages("/v1/accounts", territory_id=side.territory_id)
    return {account["account_id"]: account for account in accounts}


def _check_handoffs(
    stage: Stage,
    collab: Service,
    activation: Mapping[str, Any],
    rollback: Mapping[str, Any],
    moved: int,
) -> None:
    wanted = {"sent": 0, "accepted": 0, "superseded": moved}

    def missing() -> str | None:
        counts = handoff_counts(collab, activation["activation_id"])
        opened = handoff_counts(collab, rollback["activation_id"])["total"]
        settled = all(counts[state] == number for state, number in wanted.items()) and opened == 1
        return None if settled else f"{counts}, and {opened} opened by the rollback"

    wait_until(missing, what="collab", seconds=PATIENCE)
    answer = collab.get("/v1/handoffs/summary", activation_id=activation["activation_id"])
    stage.show(answer, wanted)
    stage.confirm(f"collab: {moved} handoffs superseded, the accepted one too, none is left open")
