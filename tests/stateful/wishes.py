"""What people may wish for, whatever the state: a command follows when it is known what there is."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

from hypothesis import strategies as st

from shared.contracts.sales import Fact
from tests.stateful.commands import (
    Activate,
    Command,
    Cover,
    DraftPlan,
    EndCoverage,
    ImportAccounts,
    SetRules,
    TellFacts,
)
from tests.stateful.model import BEGIN, COUNTIES, Model, Rules

Wish = Callable[[Model], Command]
Row = tuple[str, str, int]
Order = tuple[int, int, str, int, int]
"""Number, revision, account, cents, hours after the first."""

SMALL = st.integers(0, 2)
_NAMES = st.sampled_from(("a", "b", "c", "d"))
_ROWS = st.lists(
    st.tuples(_NAMES, st.sampled_from(COUNTIES), st.integers(1, 3)),
    min_size=1,
    max_size=3,
    unique_by=lambda row: row[0],
)
_ORDERS = st.lists(
    st.tuples(SMALL, st.integers(1, 3), _NAMES, st.integers(1, 400), st.integers(0, 60)),
    max_size=3,
    unique_by=lambda one: one[:2],
)


def import_accounts(model: Model, *, rows: list[Row], bad: bool) -> ImportAccounts:
    """Accounts, and a row that has no name."""
    named = [(f"{model.names.prefix} {name}", county, count) for name, county, count in rows]
    return ImportAccounts((*named, *([("", "01001", 1)] if bad else [])))


def clone_plan(model: Model, *, which: int) -> DraftPlan:
    """A draft like one of the newest plans."""
    return DraftPlan(model.newest_plan(which))


def set_rules(model: Model, *, which: int, to: Rules, stale: bool, astray: bool) -> SetRules:
    """Other rules for one of the newest plans, draft or not."""
    plan_id = model.newest_plan(which)
    return SetRules(plan_id, _seen(model, plan_id, stale=stale), to, astray)


def activate(model: Model, *, which: int, stale: bool) -> Activate:
    """One of the newest plans in force."""
    plan_id = model.newest_plan(which)
    return Activate(plan_id, _seen(model, plan_id, stale=stale))


def cover(model: Model, *, which: int, rep: int) -> Cover:
    """A territory for a rep, or for nobody."""
    reps = (*model.names.reps, UUID(int=7))
    return Cover(model.names.territories[which], reps[rep])


def end_coverage(model: Model, *, which: int) -> EndCoverage | Cover:
    """The end of one of the newest coverages; the first one where there is none."""
    newest = list(model.coverages)[::-1]
    return EndCoverage(newest[which % len(newest)]) if newest else cover(model, which=which, rep=which)


def tell_facts(model: Model, *, orders: list[Order], bad: bool) -> TellFacts:
    """Orders and corrections of them in any order, contradictions among them; one that cannot be counted."""
    facts = tuple(_order(model.names.prefix, *order) for order in orders)
    return TellFacts(facts, ({"kind": "order"},) if bad else ())


def _order(prefix: str, number: int, revision: int, account: str, cents: int, hours: int) -> Fact:
    return Fact(
        source="crm",
        kind="order",
        external_id=f"{prefix} {number}",
        revision=revision,
        created_at=BEGIN - timedelta(days=3),
        occurred_at=BEGIN - timedelta(days=2) + timedelta(hours=hours),
        account_external_id=f"{prefix} {account}",
        amount=Decimal(cents) / 100,
        currency="USD",
    )


def _seen(model: Model, plan_id: UUID, *, stale: bool) -> int:
    version = model.plans[plan_id].version
    return version - 1 if stale and version > 1 else version


_PLANS = st.one_of(
    st.builds(partial, st.just(clone_plan), which=SMALL),
    st.builds(
        partial,
        st.just(set_rules),
        which=SMALL,
        to=st.tuples(SMALL, SMALL, SMALL),
        stale=st.booleans(),
        astray=st.booleans(),
    ),
    st.builds(partial, st.just(activate), which=SMALL, stale=st.booleans()),
)
_COVERAGES = st.one_of(
    st.builds(partial, st.just(cover), which=SMALL, rep=st.integers(0, 3)),
    st.builds(partial, st.just(end_coverage), which=SMALL),
)
WISHES: st.SearchStrategy[Wish] = st.one_of(
    st.builds(partial, st.just(import_accounts), rows=_ROWS, bad=st.booleans()),
    st.builds(partial, st.just(tell_facts), orders=_ORDERS, bad=st.booleans()),
    _PLANS,
    _COVERAGES,
)
