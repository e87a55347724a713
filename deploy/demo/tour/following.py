"""The second half: activate, and see the realignment arrive in Kafka, collab and metrics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from deploy.demo.arrival import totals_of, trailing_figures
from deploy.demo.client import Answer, Installation, Service, wait_until
from deploy.demo.tour.planning import Diff, Draft, Side
from deploy.demo.tour.stage import Stage, Stopwatch, money, short
from deploy.demo.tour.subscriber import Event, Subscriber

PATIENCE = 60.0
Shown = Callable[[Answer], object]
_HEADERS = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_aggregateversion")


@dataclass(frozen=True)
class Credit:
    """Revenue of the last twelve months by territory, in one view, and the organisation's total."""

    by_territory: Mapping[str, Decimal]
    total: Decimal

    @classmethod
    def read(cls, metrics: Service, view: str, shown: Shown | None = None) -> "Credit":
        """Ask metrics."""
        answer = trailing_figures(metrics, view)
        if shown is not None:
            shown(answer)
        figures = answer.body
        rows = [row for row in figures["rows"] if row["currency"] == "USD"]
        credited = {row["territory_id"]: Decimal(row["revenue"]) for row in rows}
        return cls(credited, totals_of(figures["totals"])["revenue"])

    def of(self, side: Side) -> Decimal:
        """Return a territory's revenue."""
        return self.by_territory.get(side.territory_id, Decimal(0))


@dataclass(frozen=True)
class Credits:
    """Both views at one moment."""

    as_was: Credit
    as_is: Credit

    @classmethod
    def read(cls, metrics: Service, shown: Shown | None = None) -> "Credits":
        """Ask metrics for both; `shown` gets the answers."""
        return cls(Credit.read(metrics, "as_was", shown), Credit.read(metrics, "as_is", shown))


def activate(stage: Stage, assignment: Service, draft: Draft, diff: Diff) -> Answer:
    """Put the draft in force; from its answer on the clocks of the next steps run."""
    stage.step("Activate: one call, one transaction")
    path = f"/v1/plans/{draft.plan_id}/activations"
    answer = assignment.post(path, {"replacing_plan_id": draft.live_plan_id}, etag=diff.etag)
    shown = {name: answer.body[name] for name in ("kind", "sequence", "moved", "gaps", "effective_at")}
    stage.show(answer, shown)
    stage.check(
        f"{len(diff.moved)} accounts moved, as the diff said", holds=answer.body["moved"] == len(diff.moved)
    )
    stage.figures["activation_seconds"] = round(answer.seconds, 3)
    return answer


def watch_events(
    stage: Stage, subscriber: Subscriber, activation: Mapping[str, Any], diff: Diff, since: Stopwatch
) -> None:
    """Read the aligned events as any other system would."""
    stage.step("Watch the events on Kafka, with an ordinary consumer in a group of its own")
    events = subscriber.events_of(activation["activation_id"], count=len(diff.moved), seconds=PATIENCE)
    took = since.seconds
    for event in events[:2]:
        _show_event(stage, event)
    by_account = {event.data["account_id"]: event for event in events}
    stage.check(
        f"{len(events)} aligned events, one per moved account", holds=set(by_account) == set(diff.moved)
    )
    expected = {i: (move["from_territory_id"], move["to_territory_id"]) for i, move in diff.moved.items()}
    told = {i: (e.data["from_territory_id"], e.data["to_territory_id"]) for i, e in by_account.items()}
    stage.check("each tells the territories that the diff told", holds=told == expected)
    whole = all(set(_HEADERS) <= set(e.headers) and e.key == e.data["account_id"] for e in events)
    stage.check("each is a CloudEvent with its version, keyed by account", holds=whole)
    _arrived(stage, "events", took)


def follow_handoffs(
    stage: Stage,
    installation: Installation,
    collab: Service,
    activation: Mapping[str, Any],
    diff: Diff,
    since: Stopwatch,
) -> str:
    """See one handoff per moved account; read the biggest one's brief and accept it as its new rep."""
    stage.step("Collab opened one handoff per moved account")
    activation_id, wanted = activation["activation_id"], len(diff.moved)
    wait_until(
        lambda: _other_than(wanted, handoff_counts(collab, activation_id)["total"], "handoffs"),
        what="collab",
        seconds=PATIENCE,
    )
    took = since.seconds
    stage.show(collab.get("/v1/handoffs/summary", activation_id=activation_id), {"sent": wanted})
    handoffs = list(collab.pages("/v1/handoffs", activation_id=activation_id))
    accounts = [handoff["account_id"] for handoff in handoffs]
    one_each = len(accounts) == len(set(accounts)) and set(accounts) == set(diff.moved)
    stage.check(f"{wanted} handoffs, one per moved account", holds=one_each)
    _arrived(stage, "handoffs", took)

    biggest = max(
        handoffs, key=lambda handoff: (_revenue_of(diff.moved[handoff["account_id"]]), handoff["handoff_id"])
    )
    _show_brief(stage, collab, biggest, diff)
    accept(stage, installation, biggest)
    return str(biggest["account_id"])


def accept(stage: Stage, installation: Installation, handoff: Mapping[str, Any]) -> None:
    """Accept a handoff as the incoming rep, who sees no more than the incoming territory."""
    incoming = handoff["incoming"]
    rep = installation.service(
        "collab", role="contributor", subject=incoming["rep_id"] or "rep", scope=incoming["territory_id"]
    )
    answer = rep.post(f"/v1/handoffs/{handoff['handoff_id']}/acceptances")
    stage.show(
        answer, {"state": answer.body["state"], "decided by": f"rep {short(answer.body['decided_by'])}"}
    )
    stage.check(
        "the incoming rep, whose token covers this territory only, accepted",
        holds=answer.body["state"] == "accepted",
    )


def see_credit_move(
    stage: Stage, metrics: Service, draft: Draft, diff: Diff, before: Credits, since: Stopwatch
) -> Credits:
    """See revenue as it was and as it is now, side by side, equal in total."""
    stage.step("Metrics: the same year, as it was and as it is now")
    gained, lost = diff.revenue(draft.target, "gained"), diff.revenue(draft.source, "lost")
    wanted = before.as_is.of(draft.target) + gained

    def missing() -> str | None:
        found = Credit.read(metrics, "as_is").of(draft.target)
        return _other_than(wanted, found, f"USD as_is in {draft.target.name}")

    wait_until(missing, what="metrics", seconds=PATIENCE)
    took = since.seconds
    after = Credits.read(metrics, shown=stage.show)
    show_credits(stage, draft, after)
    stage.check("as_was stayed what it was: history is not rewritten", holds=after.as_was == before.as_was)
    moved = after.as_is.of(draft.source) == before.as_is.of(draft.source) - lost
    stage.check(f"as_is moved by the diff's {money(gained)} USD, to the cent", holds=moved)
    equal = after.as_was.total == after.as_is.total
    stage.check(f"both views add up to the same {money(after.as_is.total)} USD", holds=equal)
    _arrived(stage, "figures", took)
    return after


def show_credits(stage: Stage, draft: Draft, credit: Credits) -> None:
    """Show both territories and the organisation in both views."""
    sides = [
        (side.name, credit.as_was.of(side), credit.as_is.of(side)) for side in (draft.source, draft.target)
    ]
    lines = [*sides, ("the whole organisation", credit.as_was.total, credit.as_is.total)]
    stage.table(
        ["territory", "as_was", "as_is", "difference"],
        [[name, money(was), money(now), f"{now - was:+,.2f}"] for name, was, now in lines],
        last_apart=True,
    )


def handoff_counts(collab: Service, activation_id: str) -> dict[str, int]:
    """Count an activation's handoffs by state."""
    counts: dict[str, int] = collab.get("/v1/handoffs/summary", activation_id=activation_id).body
    return counts


def _show_event(stage: Stage, event: Event) -> None:
    data = event.data
    stage.console.print(
        f"   [magenta]{event.headers['ce_type']}[/] [dim]partition {event.partition} offset {event.offset} key[/] {short(event.key)}"
    )
    stage.fields(
        {name: event.headers.get(name, "-") for name in ("ce_source", "ce_aggregateversion", "ce_time")}
    )
    names = ("from_territory_id", "to_territory_id", "plan_id", "rule_id")
    stage.fields({name: short(data[name]) for name in names} | {"cause": data["cause"]})


def _show_brief(stage: Stage, collab: Service, handoff: Mapping[str, Any], diff: Diff) -> None:
    wanted = _revenue_of(diff.moved[handoff["account_id"]])

    def missing() -> str | None:
        figures = collab.get(f"/v1/handoffs/{handoff['handoff_id']}").body["brief"]["figures"]
        found = sum((Decimal(one["trailing_revenue"]) for one in figures["by_currency"]), Decimal(0))
        return _other_than(wanted, found, "USD in the brief")

    wait_until(missing, what="the brief", seconds=PATIENCE)
    answer = collab.get(f"/v1/handoffs/{handoff['handoff_id']}")
    body = answer.body
    figures = body["brief"]["figures"]["by_currency"]
    stage.show(
        answer,
        {
            "state": body["state"],
            "outgoing rep": short(body["outgoing"]["rep_id"]),
            "incoming rep": short(body["incoming"]["rep_id"]),
        },
    )
    stage.fields(
        {
            "revenue": " ".join(f"{one['trailing_revenue']} {one['currency']}" for one in figures),
            "pipeline": " ".join(f"{one['open_pipeline']} {one['currency']}" for one in figures),
            "notes": body["brief"]["notes"],
            "checklist": f"{len(body['checklist'])} items, the first: {body['checklist'][0]['title']}",
        }
    )
    stage.confirm(f"the biggest one's brief tells the diff's {money(wanted)} USD")


def _revenue_of(move: Mapping[str, Any]) -> Decimal:
    return sum((Decimal(one["revenue"]) for one in move["measures"]), Decimal(0))


def _other_than(wanted: object, found: object, what: str) -> str | None:
    return None if found == wanted else f"{found} {what}, not {wanted}"


def _arrived(stage: Stage, what: str, seconds: float) -> None:
    stage.figures[f"{what}_after_seconds"] = round(seconds, 3)
    stage.say(f"All {what} were there {seconds:.2f} s after the activation had answered.")
