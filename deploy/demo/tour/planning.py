"""The first half: clone the live plan, move postal codes to the neighbour, look at the diff."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import cos, dist, radians
from typing import Any

from deploy.demo.client import Service
from deploy.demo.failing import DemoFailed
from deploy.demo.tour.stage import Stage, money
from deploy.demo.tree import territory_id

SOURCE = "Los Angeles East, CA"
TARGET = "Los Angeles West, CA"

AccountView = dict[str, Any]
RuleView = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """One of the two territories, as it stands before."""

    name: str
    territory_id: str
    rule: RuleView
    accounts: dict[str, AccountView]


@dataclass(frozen=True)
class Draft:
    """The plan that is being prepared."""

    plan_id: str
    live_plan_id: str
    source: Side
    target: Side
    postal_codes: frozenset[str]


@dataclass(frozen=True)
class Diff:
    """What the draft would change."""

    etag: str
    moved: dict[str, dict[str, Any]]
    rows: dict[str, dict[str, Any]]

    def revenue(self, side: Side, name: str) -> Decimal:
        """Return the dollars that a side would gain, lose or keep."""
        found = (one[name] for one in self.rows[side.territory_id]["revenue"] if one["currency"] == "USD")
        return Decimal(next(found, "0.00"))


def clone_live_plan(stage: Stage, assignment: Service) -> tuple[str, str]:
    """Clone what is live; return the ids of the live plan and of the draft."""
    stage.step("Clone the live plan")
    live = assignment.get("/v1/plans", state="active").body["items"]
    if not live:
        raise DemoFailed("No plan is live. Seed the demo first: .venv/bin/python -m deploy.demo seed")
    name = f"Los Angeles, rebalanced {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    answer = assignment.post(f"/v1/plans/{live[0]['plan_id']}/clones", {"name": name})
    draft = answer.body
    stage.show(answer, {name: draft[name] for name in ("name", "state", "territories", "rules")})
    stage.say(f"The live plan is “{live[0]['name']}”; nothing done to the draft touches it.")
    return live[0]["plan_id"], draft["plan_id"]


def move_postal_codes(stage: Stage, assignment: Service, live_plan_id: str, plan_id: str) -> Draft:
    """Hand the postal codes nearest to the neighbour over to it, in the rules of the draft."""
    stage.step(f"Move ZIPs from {SOURCE} to its neighbour {TARGET}")
    source, target = (_side(assignment, plan_id, name) for name in (SOURCE, TARGET))
    codes = _nearest_codes(source, target)
    etag = assignment.get(f"/v1/plans/{plan_id}").etag
    for side, keep, more in ((source, codes, set()), (target, set(), codes)):
        before: list[str] = side.rule["condition"]["value"]
        after = sorted({*before, *more} - (keep if side is source else set()))
        body = {name: side.rule[name] for name in ("name", "territory_id", "position")}
        body["condition"] = {**side.rule["condition"], "value": after}
        answer = assignment.put(f"/v1/plans/{plan_id}/rules/{side.rule['rule_id']}", body, etag=etag or "")
        etag = answer.etag
        stage.show(answer, {"rule": f"{body['name']}, {len(before)} → {len(after)}"})
    listed = ", ".join(sorted(codes)[:8])
    stage.fields({f"{len(codes)} ZIPs move": listed + (" …" if len(codes) > 8 else "")})
    return Draft(plan_id, live_plan_id, source, target, frozenset(codes))


def look_at_diff(stage: Stage, assignment: Service, draft: Draft) -> Diff:
    """Read what would change; nothing has changed yet."""
    stage.step("See the diff before anything changes")
    answer = assignment.get(f"/v1/plans/{draft.plan_id}/diff")
    summary = answer.body["summary"]
    stage.show(answer, {name: f"{summary[name]:,}" for name in ("accounts", "moved", "kept", "gaps", "ties")})
    rows = {row["territory_id"]: row for row in answer.body["territories"]}
    touched = [row for row in rows.values() if row["accounts_gained"] or row["accounts_lost"]]
    moved = {move["account_id"]: move for move in assignment.pages(f"/v1/plans/{draft.plan_id}/moves")}
    diff = Diff(answer.etag or "", moved, rows)
    _show_rows(stage, touched)
    wanted = {i for i, a in draft.source.accounts.items() if a["postal_code"] in draft.postal_codes}
    stage.check(f"the {len(moved)} accounts at the moved ZIPs move, and no other", holds=set(moved) == wanted)
    lost, gained = diff.revenue(draft.source, "lost"), diff.revenue(draft.target, "gained")
    stage.check(
        f"revenue lost = revenue gained = {money(gained)} USD",
        holds=lost == gained,
        otherwise=f"lost {money(lost)}",
    )
    stage.figures |= {
        "accounts": summary["accounts"],
        "moved": len(moved),
        "postal_codes": len(draft.postal_codes),
        "revenue_moved_usd": str(gained),
        "diff_seconds": round(answer.seconds, 3),
    }
    return diff


def _side(assignment: Service, plan_id: str, name: str) -> Side:
    territory = str(territory_id(name))
    rules = assignment.pages(f"/v1/plans/{plan_id}/rules", territory_id=territory)
    by_code = [r for r in rules if r["condition"].get("field") == "postal_code"]
    if not by_code:
        raise DemoFailed(f"The live plan has no rule that sends ZIPs to {name}: is this the demo's plan?")
    accounts = assignment.pages("/v1/accounts", territory_id=territory)
    return Side(name, territory, by_code[0], {account["account_id"]: account for account in accounts})


def _nearest_codes(source: Side, target: Side) -> set[str]:
    """Choose the postal codes nearest to the neighbour until they hold a third of the accounts."""
    centre = _middle(target)
    listed = set(source.rule["condition"]["value"])
    held = Counter(a["postal_code"] for a in source.accounts.values() if a["postal_code"] in listed)
    points = {a["postal_code"]: _point(a) for a in source.accounts.values()}
    chosen: set[str] = set()
    for code in sorted(held, key=lambda code: (dist(points[code], centre), code)):
        if sum(held[one] for one in chosen) * 3 >= len(source.accounts):
            break
        chosen.add(code)
    if not chosen:
        raise DemoFailed(f"{source.name} has no accounts at the ZIPs of its rule.")
    return chosen


def _middle(side: Side) -> tuple[float, float]:
    points = [_point(account) for account in side.accounts.values()]
    if not points:
        raise DemoFailed(f"{side.name} has no accounts.")
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _point(account: AccountView) -> tuple[float, float]:
    return account["longitude"] * cos(radians(34)), account["latitude"]


def _show_rows(stage: Stage, rows: list[dict[str, Any]]) -> None:
    lines = []
    for row in rows:
        usd = next((one for one in row["revenue"] if one["currency"] == "USD"), None)
        accounts = [f"{row[f'accounts_{name}']:,}" for name in ("gained", "lost", "kept")]
        amounts = [money(Decimal(usd[name] if usd else 0)) for name in ("gained", "lost", "kept")]
        lines.append([row["name"], *accounts, *amounts])
    heads = ["gained", "lost", "kept"]
    stage.table(["territory", *heads, *(f"revenue {head}" for head in heads)], lines)
