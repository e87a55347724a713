from itertools import count
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.collab.handoffs.handoff import Handoff
from services.collab.handoffs.move import Consequences, Move, Unfinished, follow_moves
from shared.testing.frozen_clock import A_MONDAY

NORTH, SOUTH, EAST = (UUID(int=n) for n in (1, 2, 3))
ACCOUNT = UUID(int=9)
SENT = Handoff.send(UUID(int=4), ACCOUNT)


def move(
    source: UUID | None, target: UUID | None, activation: int | None = 5, account: UUID = ACCOUNT
) -> Move:
    return Move(account, source, target, None if activation is None else UUID(int=activation), A_MONDAY)


def follow(*moves: Move, before: Unfinished | None = None) -> Consequences:
    ids = count(100)
    return follow_moves(moves, [] if before is None else [before], lambda: UUID(int=next(ids)))


def routes(found: Consequences) -> list[tuple[UUID, UUID]]:
    return [(opened.from_territory_id, opened.to_territory_id) for opened in found.opened]


def test_only_a_planned_move_between_territories_opens_a_handoff():
    assert routes(follow(move(NORTH, SOUTH))) == [(NORTH, SOUTH)]
    for harmless in (move(None, SOUTH), move(NORTH, None), move(NORTH, SOUTH, None), move(NORTH, NORTH)):
        assert follow(harmless) == Consequences((), ())


def test_back_home_supersedes_and_opens_none():
    found = follow(move(NORTH, SOUTH), move(SOUTH, NORTH, 6))
    assert [item.by_activation_id for item in found.superseded] == [UUID(int=6)]
    assert len(found.opened) == 1


def test_onward_starts_from_the_side_that_knows():
    found = follow(move(NORTH, SOUTH), move(SOUTH, EAST), move(EAST, SOUTH), move(SOUTH, NORTH))
    assert routes(found) == [(NORTH, SOUTH), (NORTH, EAST), (NORTH, SOUTH)]
    assert len(found.superseded) == 3


def test_a_gap_or_an_import_supersedes_and_opens_none():
    for accepted in (False, True):
        held = Unfinished(SENT.accept() if accepted else SENT, NORTH)
        for away in (move(SOUTH, None), move(SOUTH, EAST, None)):
            found = follow(away, before=held)
            assert (len(found.superseded), found.opened) == (1, ())


def test_who_accepted_is_the_side_that_knows_wherever_it_goes():
    held = Unfinished(SENT.accept(), NORTH)
    for target in (NORTH, EAST):
        found = follow(move(SOUTH, target), before=held)
        assert [item.handoff for item in found.superseded] == [held.handoff.supersede()]
        assert routes(found) == [(SOUTH, target)]


territories = st.sampled_from([NORTH, SOUTH, EAST, None])


@st.composite
def journeys(draw: st.DrawFn) -> list[Move]:
    """Moves of several accounts, each of which starts where its last one ended."""
    at: dict[UUID, UUID | None] = {}
    moves = []
    for _ in range(draw(st.integers(0, 20))):
        account = UUID(int=draw(st.integers(1, 3)))
        target = draw(territories)
        activation = draw(st.one_of(st.none(), st.integers(1, 9)))
        if target != at.get(account):
            moves.append(move(at.get(account), target, activation, account))
            at[account] = target
    return moves


def states(batches: list[list[Move]]) -> list[tuple[UUID, UUID, UUID, bool]]:
    """Apply batches one after the other as the consumer does; return what is in the table at the end."""
    ids = count(100)
    table: dict[UUID, tuple[UUID, UUID, UUID, bool]] = {}
    unfinished: dict[UUID, Unfinished] = {}
    for batch in batches:
        found = follow_moves(batch, unfinished.values(), lambda: UUID(int=next(ids)))
        for opened in found.opened:
            table[opened.handoff.handoff_id] = (
                opened.handoff.account_id,
                opened.from_territory_id,
                opened.to_territory_id,
                True,
            )
            unfinished[opened.handoff.handoff_id] = opened
        for gone in found.superseded:
            table[gone.handoff.handoff_id] = (*table[gone.handoff.handoff_id][:3], False)
            del unfinished[gone.handoff.handoff_id]
    return sorted(table.values())


@given(journeys(), st.data())
def test_how_moves_are_cut_into_batches_does_not_matter(moves: list[Move], data: st.DataObject):
    cut = data.draw(st.integers(0, len(moves)))
    assert states([moves]) == states([moves[:cut], moves[cut:]]) == states([[one] for one in moves])


@given(journeys())
def test_at_most_one_handoff_of_an_account_is_open_and_it_leads_to_where_the_account_is(moves: list[Move]):
    at = {one.account_id: one.to_territory_id for one in moves}
    open_now = [row for row in states([moves]) if row[3]]
    assert len({row[0] for row in open_now}) == len(open_now)
    for account, source, target, _ in open_now:
        assert target == at[account] != source
