"""The spine: diff, activation, rollback, and what is announced."""

from datetime import timedelta
from uuid import UUID

from shared.contracts.identity import account_id_of
from tests.service.assignment.conftest import (
    CITY,
    NORTH,
    ROOT,
    RULES,
    SOUTH,
    Assignment,
    county_rule,
    rule_id,
)

ACCOUNTS = [
    {"external_id": "city", "county": "01001"},
    {"external_id": "north", "county": "01003"},
    {"external_id": "south", "county": "02001"},
    {"external_id": "nowhere", "county": "99999"},
]
MOVED_RULES = [county_rule(CITY, "01003"), county_rule(NORTH, "01001"), RULES[2]]


async def test_the_first_activation_aligns_every_account_from_a_chosen_day(assignment: Assignment) -> None:
    await assignment.import_accounts(*ACCOUNTS)
    plan_id = await assignment.draft()
    activation = await assignment.activate(plan_id, effective_at="2026-01-01T00:00:00+00:00")

    assert activation["kind"] == "activation"
    assert (activation["sequence"], activation["accounts"], activation["moved"]) == (1, 4, 3)
    assert (activation["gaps"], activation["ties"]) == (1, 0)
    assert activation["previous_plan_id"] is None
    assert activation["effective_at"] == "2026-01-01T00:00:00Z"
    account = await assignment.get(f"/v1/accounts/{account_id_of('city')}")
    assert account["alignment"] == {
        "territory_id": str(CITY),
        "plan_id": plan_id,
        "rule_id": rule_id(CITY),
        "cause": "rule",
        "reason": None,
        "valid_from": "2026-01-01T00:00:00Z",
    }
    gaps = await assignment.get("/v1/accounts", reason="no_match")
    assert [gap["external_id"] for gap in gaps["items"]] == ["nowhere"]


async def test_every_move_is_one_event_and_the_tree_comes_with_the_plan(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    first = await assignment.events("assignment.account.aligned.v1")
    assert {(event["from_territory_id"], event["to_territory_id"]) for event in first} == {
        (None, str(CITY)),
        (None, str(NORTH)),
        (None, str(SOUTH)),
    }
    clone_id = await assignment.clone(plan_id, MOVED_RULES)
    activation = await assignment.activate(clone_id)

    moved = (await assignment.events("assignment.account.aligned.v1"))[len(first) :]
    assert {
        (event["account_id"], event["from_territory_id"], event["to_territory_id"]) for event in moved
    } == {
        (str(account_id_of("city")), str(CITY), str(NORTH)),
        (str(account_id_of("north")), str(NORTH), str(CITY)),
    }
    assert {event["activation_id"] for event in moved} == {activation["activation_id"]}
    trees = await assignment.events("assignment.territory.tree-published.v1")
    assert [tree["plan_id"] for tree in trees] == [plan_id, clone_id]
    assert trees[0]["tree_id"] == trees[1]["tree_id"]
    activated = await assignment.events("assignment.plan.activated.v1")
    assert [(event["sequence"], event["moved_accounts"]) for event in activated] == [(1, 3), (2, 2)]
    assert activated[1]["previous_plan_id"] == plan_id
    (retired,) = await assignment.events("assignment.plan.retired.v1")
    assert retired["plan_id"] == plan_id


async def test_rollback_restores_the_alignments_exactly_and_keeps_the_history(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    before = await assignment.open_alignments()
    assignment.clock.advance(timedelta(hours=1))
    clone_id = await assignment.clone(plan_id, MOVED_RULES)
    await assignment.activate(clone_id)
    assert await assignment.open_alignments() != before

    assignment.clock.advance(timedelta(hours=1))
    rollback = await assignment.post(f"/v1/plans/{clone_id}/rollbacks")

    assert (rollback["kind"], rollback["plan_id"], rollback["previous_plan_id"]) == (
        "rollback",
        plan_id,
        clone_id,
    )
    assert await assignment.open_alignments() == before
    history = await assignment.get(f"/v1/accounts/{account_id_of('city')}/alignments")
    assert [(one["territory_id"], one["plan_id"]) for one in history["items"]] == [
        (str(CITY), plan_id),
        (str(NORTH), clone_id),
        (str(CITY), plan_id),
    ]
    for earlier, later in zip(history["items"], history["items"][1:], strict=False):
        assert earlier["valid_to"] == later["valid_from"]
    states = {plan["plan_id"]: plan["state"] for plan in (await assignment.get("/v1/plans"))["items"]}
    assert states == {plan_id: "active", clone_id: "retired"}
    trees = await assignment.events("assignment.territory.tree-published.v1")
    assert len(trees) == 2  # a plan that goes live again has its tree published already


async def test_rolling_back_twice_ends_where_it_began(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(plan_id, MOVED_RULES)
    await assignment.activate(clone_id)
    forward = await assignment.open_alignments()
    await assignment.post(f"/v1/plans/{clone_id}/rollbacks")
    await assignment.post(f"/v1/plans/{plan_id}/rollbacks")
    assert [row[:2] for row in await assignment.open_alignments()] == [row[:2] for row in forward]


async def test_a_retired_plan_can_be_activated_again(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(plan_id)
    await assignment.activate(clone_id)
    again = await assignment.activate(plan_id)
    assert (again["kind"], again["sequence"], again["moved"]) == ("rollback", 3, 0)
    listed = await assignment.get("/v1/activations", limit=2)
    assert [one["sequence"] for one in listed["items"]] == [1, 2]
    rest = await assignment.get("/v1/activations", limit=2, cursor=listed["next_cursor"])
    assert [one["sequence"] for one in rest["items"]] == [3]
    assert await assignment.get(f"/v1/activations/{again['activation_id']}") == again


async def test_only_going_back_to_the_plan_before_is_a_rollback(assignment: Assignment) -> None:
    first = await assignment.live(*ACCOUNTS)
    second, third = await assignment.clone(first), await assignment.clone(first)
    await assignment.activate(second)
    await assignment.activate(third)
    # first was live once, but second was in force before third.
    assert (await assignment.activate(first))["kind"] == "activation"
    assert (await assignment.activate(second))["kind"] == "activation"
    assert (await assignment.activate(first))["kind"] == "rollback"
    announced = await assignment.events("assignment.plan.activated.v1")
    assert [event["kind"] for event in announced] == ["activation"] * 5 + ["rollback"]


async def test_plan_and_event_agree_on_when_it_took_over_and_when_it_stopped(assignment: Assignment) -> None:
    # The clock stands still, so the second plan takes over a tick after now.
    plan_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(plan_id, MOVED_RULES)
    activation = await assignment.activate(clone_id)
    (retired,) = await assignment.events("assignment.plan.retired.v1")
    before, after = [await assignment.get(f"/v1/plans/{one}") for one in (plan_id, clone_id)]
    assert before["retired_at"] == retired["retired_at"] == activation["effective_at"]
    assert after["activated_at"] == activation["effective_at"]
    await assignment.post(f"/v1/plans/{clone_id}/rollbacks")
    assert (await assignment.get(f"/v1/plans/{plan_id}"))["retired_at"] is None


async def test_periods_never_overlap_when_the_clock_stands_still(assignment: Assignment) -> None:
    """Two activations within one tick of the clock still follow one another."""
    plan_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(plan_id, MOVED_RULES)
    await assignment.activate(clone_id)
    periods = await assignment.rows("SELECT count(*), count(*) FILTER (WHERE isempty(valid)) FROM alignments")
    assert periods == [(6, 0)]


async def test_another_rule_for_the_same_territory_is_history_but_no_move(assignment: Assignment) -> None:
    """A handoff for an account that stays would be nonsense; why it is there has changed nevertheless."""
    plan_id = await assignment.live(*ACCOUNTS)
    other = {**county_rule(CITY, "01001", position=1), "rule_id": str(UUID(int=77))}
    clone_id = await assignment.clone(plan_id, [*RULES, other])
    activation = await assignment.activate(clone_id)
    assert activation["moved"] == 0
    account = await assignment.get(f"/v1/accounts/{account_id_of('city')}")
    assert account["alignment"]["rule_id"] == str(UUID(int=77))
    assert len(await assignment.events("assignment.account.aligned.v1")) == 3


async def test_a_tie_is_a_listed_result(assignment: Assignment) -> None:
    await assignment.import_accounts(*ACCOUNTS)
    rival = {**county_rule(SOUTH, "01001"), "rule_id": str(UUID(int=78))}
    plan_id = await assignment.draft(rules=[*RULES, rival])
    gaps = await assignment.get(f"/v1/plans/{plan_id}/gaps", reason="tie")
    (tie,) = gaps["items"]
    assert tie["account_id"] == str(account_id_of("city"))
    assert set(tie["tied_rule_ids"]) == {rule_id(CITY), str(UUID(int=78))}
    diff = await assignment.get(f"/v1/plans/{plan_id}/diff")
    assert diff["reasons"] == {"no_match": 1, "tie": 1}
    assert (diff["summary"]["gaps"], diff["summary"]["ties"]) == (2, 1)
    assert set(diff["rules_without_accounts"]) == {rule_id(CITY), str(UUID(int=78))}
    await assignment.activate(plan_id)
    listed = await assignment.get("/v1/accounts", reason="tie")
    assert [one["external_id"] for one in listed["items"]] == ["city"]
    assert listed["items"][0]["alignment"]["territory_id"] is None


async def test_the_diff_weighs_moves_and_balances(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    for name, amount in (("city", "100.50"), ("north", "40"), ("south", "7.25")):
        await assignment.execute(
            "INSERT INTO account_measures VALUES (:account, 'EUR', CAST(:amount AS text)::numeric, 1, now())",
            account=account_id_of(name),
            amount=amount,
        )
    clone_id = await assignment.clone(plan_id, MOVED_RULES)
    diff = await assignment.get(f"/v1/plans/{clone_id}/diff")

    assert diff["against_plan_id"] == plan_id
    assert diff["summary"]["accounts"] == 4
    assert (diff["summary"]["moved"], diff["summary"]["kept"]) == (2, 2)
    assert diff["summary"]["revenue"] == [{"currency": "EUR", "moved": "140.50", "kept": "7.25"}]
    rows = {row["territory_id"]: row for row in diff["territories"]}
    assert rows[str(NORTH)]["revenue"] == [{"currency": "EUR", "gained": "100.50", "lost": "40", "kept": "0"}]
    assert (rows[str(NORTH)]["accounts_gained"], rows[str(NORTH)]["accounts_lost"]) == (1, 1)
    assert rows[str(SOUTH)]["accounts_kept"] == 1
    assert rows[str(ROOT)]["accounts_kept"] == 0
    assert rows[None]["accounts_kept"] == 1
    gained = sum(row["accounts_gained"] for row in diff["territories"])
    assert gained == sum(row["accounts_lost"] for row in diff["territories"]) == 2

    moves = await assignment.get(f"/v1/plans/{clone_id}/moves", limit=1)
    more = await assignment.get(f"/v1/plans/{clone_id}/moves", limit=1, cursor=moves["next_cursor"])
    both = moves["items"] + more["items"]
    assert {move["account_id"] for move in both} == {str(account_id_of(n)) for n in ("city", "north")}
    assert more["next_cursor"] is None
    assert {move["measures"][0]["revenue"] for move in both} == {"100.50", "40"}


async def test_a_diff_changes_nothing(assignment: Assignment) -> None:
    plan_id = await assignment.live(*ACCOUNTS)
    clone_id = await assignment.clone(plan_id, MOVED_RULES)
    before = await assignment.rows("SELECT * FROM alignments ORDER BY account_id, valid")
    first = await assignment.get(f"/v1/plans/{clone_id}/diff")
    assert await assignment.get(f"/v1/plans/{clone_id}/diff") == first
    assert await assignment.rows("SELECT * FROM alignments ORDER BY account_id, valid") == before


async def test_a_changed_account_is_aligned_by_the_live_plan_at_once(assignment: Assignment) -> None:
    await assignment.live(*ACCOUNTS)
    assignment.clock.advance(timedelta(minutes=5))
    report = await assignment.import_accounts(
        {"external_id": "city", "county": "02001"}, {"external_id": "new", "county": "01001"}
    )
    assert (report["registered"], report["changed"], report["aligned"]) == (1, 1, 2)
    history = await assignment.get(f"/v1/accounts/{account_id_of('city')}/alignments")
    assert [one["territory_id"] for one in history["items"]] == [str(CITY), str(SOUTH)]
    assert history["items"][1]["activation_id"] is None
    on_record = await assignment.get(
        f"/v1/accounts/{account_id_of('city')}/alignments", at=assignment.clock.now().isoformat()
    )
    assert [one["territory_id"] for one in on_record["items"]] == [str(SOUTH)]
    events = await assignment.rows(
        "SELECT type, aggregateversion FROM outbox WHERE aggregateid = :id ORDER BY seq",
        id=str(account_id_of("city")),
    )
    # What one transaction tells of an account is one state, at the version of the last event.
    assert events == [
        ("assignment.account.registered.v1", 1),
        ("assignment.account.state.v1", 1),
        ("assignment.account.aligned.v1", 2),
        ("assignment.account.state.v1", 2),
        ("assignment.account.changed.v1", 3),
        ("assignment.account.aligned.v1", 4),
        ("assignment.account.state.v1", 4),
    ]
