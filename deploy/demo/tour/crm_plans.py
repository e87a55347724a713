"""A plan drafted in the CRM comes in, and the live one goes out and comes back as it is."""

from typing import Any

from deploy.demo.client import Answer, Service
from deploy.demo.tour.stage import Stage, short

SYSTEM = "/v1/crm/salesforce"

_TYPE = "0M5TOUR"
_SIZES = (("1", "Large companies", "greaterOrEqual"), ("2", "Small companies", "lessThan"))
_PLAN: dict[str, list[dict[str, Any]]] = {
    "Territory2Model": [{"Id": "0MATOUR", "Name": "By size, as the CRM drafted it"}],
    "Territory2Type": [{"Id": _TYPE, "DeveloperName": "geographic"}],
    "Territory2": [
        {"Id": f"0MITOUR{number}", "Name": name, "Territory2TypeId": _TYPE} for number, name, _ in _SIZES
    ],
    "ObjectTerritory2AssignmentRule": [
        {"Id": f"0RLTOUR{number}", "MasterLabel": name} for number, name, _ in _SIZES
    ],
    "ObjectTerritory2AssignmentRuleItem": [
        {
            "RuleId": f"0RLTOUR{number}",
            "SortOrder": 1,
            "Field": "NumberOfEmployees",
            "Operation": operation,
            "Value": "100",
        }
        for number, _, operation in _SIZES
    ],
    "RuleTerritory2Association": [
        {"RuleId": f"0RLTOUR{number}", "Territory2Id": f"0MITOUR{number}"} for number, _, _ in _SIZES
    ],
    # Wrong on purpose: nobody knows that user.
    "UserTerritory2Association": [{"UserId": "005NOBODY", "Territory2Id": "0MITOUR1"}],
}


def exchange_plans(stage: Stage, assignment: Service) -> None:
    """Draft a plan of the CRM's records, and carry the live plan there and back."""
    _take_draft(stage, assignment)
    _carry_live_plan(stage, assignment)


def _take_draft(stage: Stage, assignment: Service) -> None:
    stage.step("A plan of Territory2 records: the dry run tells what the import then does")
    dry = assignment.send("POST", f"{SYSTEM}/imports?dry_run=true", body=_PLAN)
    stage.show(dry, {"rows": _sum(dry, "received"), "would be refused": _sum(dry, "rejected")})
    kept = assignment.send("POST", f"{SYSTEM}/imports", body=_PLAN)
    stage.show(kept, {"drafted": short(kept.body["plan_id"])})
    stage.table(
        ["object", *_OUTCOMES],
        [[one["object"], *(str(one[name]) for name in _OUTCOMES)] for one in kept.body["objects"]],
    )
    (error,) = kept.body["errors"]
    stage.fields({name: error[name] for name in ("object", "row", "field", "code")})
    stage.check("the dry run told it row by row", holds={**kept.body, "dry_run": True} == dry.body)
    stage.check(
        "the association of a user nobody knows is refused by itself; the rest is a draft",
        holds=(error["object"], error["field"]) == ("UserTerritory2Association", "UserId")
        and assignment.get(f"/v1/plans/{kept.body['plan_id']}").body["state"] == "draft",
    )


def _carry_live_plan(stage: Stage, assignment: Service) -> None:
    stage.step("The live plan, its rules and who covers it go out, and come back")
    live = assignment.get("/v1/plans", state="active").body["items"][0]["plan_id"]
    out = assignment.get(f"{SYSTEM}/plans/{live}")
    stage.show(out, {name: len(rows) for name, rows in out.body.items()})
    back = assignment.send("POST", f"{SYSTEM}/imports", body=out.body)
    stage.show(back, {name: _sum(back, name) for name in ("received", *_OUTCOMES)})
    sent = sum(len(rows) for rows in out.body.values())
    stage.check(
        f"{sent} records went out, and not one of them changes anything when it comes back",
        holds=(_sum(back, "received"), _sum(back, "unchanged"), back.body["plan_id"]) == (sent, sent, live),
    )
    stage.figures |= {
        "territories_exported": len(out.body["Territory2"]),
        "records_there_and_back": sent,
        "plan_import_seconds": round(back.seconds, 3),
    }


_OUTCOMES = ("created", "changed", "unchanged", "rejected")


def _sum(answer: Answer, outcome: str) -> int:
    return sum(one[outcome] for one in answer.body["objects"])
