"""What prospects may be worth: learnt from accounts that buy, and tried before it is believed."""

from decimal import Decimal

from deploy.demo.client import Service, wait_until
from deploy.demo.tour.stage import Stage

PATIENCE = 90.0
_RIVALS = ("model", "baseline")
_ERRORS = ("mean_absolute", "weighted", "bias")


def estimate_potential(stage: Stage, assignment: Service) -> None:
    """Have the potential of prospects estimated, and see whether the model earned its place."""
    stage.step("What prospects may be worth, learnt from accounts that buy")
    asked = assignment.post("/v1/potential-estimates", {"measure": "revenue", "currency": "USD"})
    stage.show(asked, {"state": asked.body["state"]})
    path = f"/v1/potential-estimates/{asked.body['estimate_id']}"

    def missing() -> str | None:
        state: str = assignment.get(path).body["state"]
        return None if state in {"completed", "failed"} else state

    took = wait_until(missing, what="assignment's worker", seconds=PATIENCE, every=0.2)
    answer = assignment.get(path)
    found = answer.body
    stage.show(answer, {name: found[name] for name in ("state", "known_accounts", "prospects", "method")})
    stage.check("it was made", holds=found["state"] == "completed", otherwise=str(found["reason"]))
    trial = found["trial"]
    stage.table(
        ["on accounts not learnt from", *_ERRORS],
        [[rival, *(str(trial[rival][error]) for error in _ERRORS)] for rival in _RIVALS],
    )
    stage.say(trial["verdict"])
    model, baseline = (Decimal(trial[rival]["mean_absolute"]) for rival in _RIVALS)
    earned = (found["method"] == "gradient_boosting") == trial["beats_baseline"]
    stage.check(
        f"{found['method'].replace('_', ' ')} made the estimates, and the model does so only if it errs less",
        holds=earned and (model < baseline or not trial["beats_baseline"]),
    )
    stage.figures |= {
        "estimate_seconds": round(took, 2),
        "known_accounts": found["known_accounts"],
        "prospects": found["prospects"],
        "improvement_on_baseline": trial["improvement"],
    }
