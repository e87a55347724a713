"""A team apart: notes where the work is, policies that are read, and protocols that run by the clock."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from deploy.demo.client import Installation, Service, wait_until
from deploy.demo.failing import DemoFailed
from deploy.demo.protocols import lay_down_protocols
from deploy.demo.tour.handoff_clock import start_by_handoff
from deploy.demo.tour.stage import SUBJECT, Stage, short
from deploy.demo.tree import has_accounts

POLICY = "/v1/policies/answering-customers"
PATIENCE = 30.0


def work_together(stage: Stage, installation: Installation) -> None:
    """Write a note, have a policy acknowledged, and let a protocol run past its deadline."""
    assignment, collab = (
        installation.service(name, role="admin", subject=SUBJECT) for name in ("assignment", "collab")
    )
    lay_down_protocols(collab)
    running = assignment.pages("/v1/coverages", running=True)
    primaries = [one for one in running if one["role"] == "primary" and has_accounts(one["territory_id"])]
    if len(primaries) < 2:
        raise DemoFailed("Fewer than two territories are covered: seed the demo again.")
    mine, other = primaries[0], primaries[1]
    account, moving = assignment.get("/v1/accounts", territory_id=mine["territory_id"], limit=2).body["items"]
    rep, stranger = (
        installation.service("collab", role="contributor", subject=one["rep_id"], scope=one["territory_id"])
        for one in (mine, other)
    )
    _write(stage, rep, stranger, account)
    _mention(stage, collab, rep, account, mine["territory_id"])
    _agree(stage, collab, rep, mine["rep_id"])
    start_by_handoff(stage, installation, moving, other["territory_id"])
    _run_late(stage, collab, rep, account, mine)


def _write(stage: Stage, rep: Service, stranger: Service, account: dict[str, Any]) -> None:
    stage.step("A note on the account, and what it said before")
    subject = {"type": "account", "id": account["account_id"]}
    note = rep.post("/v1/notes", {"subject": subject, "body": "They renew in March."})
    path = f"/v1/notes/{note.body['note_id']}"
    edited = rep.send(
        "PATCH",
        path,
        body={"body": "They renew in April; the board moved it."},
        headers={"If-Match": note.etag or ""},
    )
    stage.show(edited, {"account": account["name"], "version": edited.body["version"]})
    texts = [one["body"] for one in rep.pages(f"{path}/revisions")]
    stage.table(["revision", "text"], [[str(number + 1), text] for number, text in enumerate(texts)])
    stage.check("both texts are on record", holds=len(texts) == 2)
    stage.check("a rep of another territory does not see it", holds=stranger.find(path) is None)
    lost = rep.send(
        "PATCH",
        path,
        body={"body": "Too late."},
        headers={"If-Match": note.etag or ""},
        accept={HTTPStatus.PRECONDITION_FAILED},
    )
    stage.check("an edit of what has changed meanwhile is refused", holds=lost.status == 412)


def _mention(stage: Stage, collab: Service, rep: Service, account: dict[str, Any], territory_id: str) -> None:
    stage.step("Mention a territory, and whoever covers it finds the note")
    before = rep.get("/v1/inbox/summary").body
    body = {
        "subject": {"type": "account", "id": account["account_id"]},
        "body": "Please call them before the quarterly review.",
        "mentions": [{"type": "territory", "id": territory_id}],
        "wants_acknowledgement": True,
    }
    asked = collab.post("/v1/notes", body)
    summary = rep.get("/v1/inbox/summary")
    stage.show(summary, summary.body)
    stage.check("one more is unread, to the note", holds=summary.body["unread"] == before["unread"] + 1)
    item = rep.get("/v1/inbox", limit=1).body["items"][0]
    done = rep.post(f"/v1/inbox/{item['item_id']}/acknowledgements")
    stage.show(done, {"reason": done.body["reason"], "acknowledged": done.body["acknowledged_at"]})
    told = list(collab.pages(f"/v1/notes/{asked.body['note_id']}/acknowledgements"))
    stage.check(
        "its author sees who acknowledged it", holds=[bool(one["acknowledged_at"]) for one in told] == [True]
    )
    rep.post(f"/v1/notes/{asked.body['note_id']}/replies", {"body": "Done: they are free on Thursday."})
    reply = collab.get("/v1/inbox", limit=1).body["items"][0]
    stage.fields({"the answer": reply["excerpt"], "reason": reply["reason"]})
    found = rep.get("/v1/note-matches", words='"quarterly review" -cancelled')
    stage.show(found, {"found": len(found.body["items"])})
    stage.check(
        "the words find it", holds=asked.body["note_id"] in {one["note_id"] for one in found.body["items"]}
    )


def _agree(stage: Stage, collab: Service, rep: Service, rep_id: str) -> None:
    stage.step("A policy in versions, each acknowledged by what it says")
    before = _published(collab)
    version = _publish(stage, collab, f"Answer within one business day. (tour {datetime.now(UTC):%H:%M:%S})")
    owed = {one["rep_id"] for one in collab.pages(f"{POLICY}/outstanding-acknowledgements")}
    stage.check(f"{len(owed)} reps have yet to read version {version['version']}", holds=rep_id in owed)
    path = f"{POLICY}/versions/{version['version']}/acknowledgements"
    wrong = rep.send("POST", path, body={"fingerprint": "0" * 64}, accept={HTTPStatus.CONFLICT})
    stage.show(wrong, {"code": wrong.body["code"]})
    done = rep.post(path, {"fingerprint": version["fingerprint"]})
    stage.show(done, {"acknowledged": done.body["acknowledged_at"]})
    left = {one["rep_id"] for one in collab.pages(f"{POLICY}/outstanding-acknowledgements")}
    stage.check("the rep who acknowledged owes it no more, the others do", holds=owed - left == {rep_id})
    stage.check("a version once published stays", holds=before is None or before in _versions(collab))
    stage.figures["reps_to_acknowledge"] = len(left)


def _publish(stage: Stage, collab: Service, text: str) -> dict[str, Any]:
    standing = collab.find(POLICY)
    tag = {} if standing is None else {"If-Match": standing.etag or ""}
    body = {"title": "Answering customers", "text": text}
    draft = collab.send("PUT", f"{POLICY}/draft", body=body, headers=tag)
    published = collab.post(f"{POLICY}/publications", etag=draft.etag)
    version: dict[str, Any] = published.body
    stage.show(published, {"version": version["version"], "fingerprint": version["fingerprint"][:12] + "…"})
    return version


def _published(collab: Service) -> str | None:
    if collab.find(POLICY) is None:
        return None
    return next(iter(_versions(collab)), None)


def _versions(collab: Service) -> list[str]:
    return [one["fingerprint"] for one in collab.pages(f"{POLICY}/versions")]


def _run_late(
    stage: Stage, collab: Service, rep: Service, account: dict[str, Any], coverage: dict[str, Any]
) -> None:
    stage.step("A protocol runs: reminder, escalation, breach, in working hours")
    protocol = collab.get("/v1/protocols/customer-answer").body
    stage.fields({"protocol": protocol["name"], "calendar": protocol["calendar_code"]})
    asked_at = datetime.now(UTC) - timedelta(days=10)
    contact = {"kind": "received", "channel": "email", "purpose": "service", "at": asked_at.isoformat()}
    received = rep.post(f"/v1/accounts/{account['account_id']}/contacts", contact)
    stage.show(received, {"received": received.body["at"][:16], "logged": received.body["logged_at"][:16]})
    found: dict[str, Any] = {}

    def missing() -> str | None:
        owed = collab.get("/v1/obligations", account_id=account["account_id"], state="breached").body["items"]
        found.update(owed[-1] if owed else {})
        return None if owed else "no breach"

    took = wait_until(missing, what="collab's worker", seconds=PATIENCE)
    stage.figures["breach_after_seconds"] = round(took, 3)
    answer = collab.get(f"/v1/obligations/{found['obligation_id']}")
    stage.show(answer, {"owes": f"rep {short(found['rep_id'])}", "was due": found["due_at"][:16]})
    steps = answer.body["steps"]
    stage.table(
        ["step", "when it was due", "told"],
        [
            [
                one["action"],
                one["due_at"][:16],
                short(one["told_rep_id"]) if one["told_rep_id"] else one["untold_because"] or "-",
            ]
            for one in steps
        ],
    )
    stage.check(
        "a question logged ten days late: reminded, escalated and breached, in that order",
        holds=[one["action"] for one in steps] == ["remind", "escalate", "breach"]
        and found["rep_id"] == coverage["rep_id"],
    )
    told = {one["action"]: one["told_rep_id"] for one in steps}
    stage.check(
        "the reminder told who owes the answer, the escalation somebody above",
        holds=told["remind"] == coverage["rep_id"] and told["escalate"] not in {None, coverage["rep_id"]},
    )
    made = {"kind": "made", "channel": "email", "purpose": "service"}
    reply = rep.send(
        "POST", f"/v1/accounts/{account['account_id']}/contacts", body=made, accept={HTTPStatus.CONFLICT}
    )
    if reply.status == HTTPStatus.CONFLICT:
        # They have not said yes to anything yet.
        stage.show(reply, {"code": reply.body["code"], "reason": reply.body["reason"]})
        _consent(rep, account["account_id"])
        reply = rep.post(f"/v1/accounts/{account['account_id']}/contacts", made)
    stage.show(reply, {"kind": reply.body["kind"], "allowed by": reply.body["reason"]})
    closed = collab.get(f"/v1/obligations/{found['obligation_id']}").body
    stage.fields({"state": closed["state"], "outcome": closed["outcome"]})
    stage.check("the answer closes it; that it was late stays on record", holds=closed["state"] == "closed")


def _consent(rep: Service, account_id: str) -> None:
    body = {"level": "channel", "channel": "email", "state": "granted", "source": "customer"}
    rep.post(f"/v1/accounts/{account_id}/consents", body)
