"""What has to be true after the commands that were answered, and after no others. Pure.

The machine plays the same commands to the product and to this; whatever can be read is compared with it. Events are
predicted, too: which, of what, in which order per key. Nothing here is shared with the product but contracts and ids.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.contracts import assignment, sales
from shared.contracts.identity import account_id_of, rep_id_of
from shared.contracts.sales import Fact

# Before anything that an example tells: facts may be older than the first plan.
BEGIN = datetime(2026, 11, 23, 9, tzinfo=UTC)
COUNTIES = ("01001", "01003", "02001", "09999")
"""Of accounts. No rule ever speaks of the last."""

Rules = tuple[int, int, int]
"""Which territory each of the first three counties is sent to."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event as predicted: its type, and the members that follow from the commands."""

    wire_type: str
    members: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """An account as last imported, and where it belongs: a territory, or None for a gap."""

    county: str
    employees: int
    territory_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan; its rules change while it is a draft."""

    version: int
    rules: Rules
    state: str = "draft"


@dataclass(frozen=True, slots=True)
class Coverage:
    """A rep who has a territory as primary, until an instant or for the time being."""

    territory_id: UUID
    rep_id: UUID
    valid_from: datetime
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """What one example's organisation is called. Every external id begins with the prefix."""

    prefix: str
    root: UUID
    territories: tuple[UUID, UUID, UUID]
    rep_names: tuple[str, str, str]

    @property
    def reps(self) -> tuple[UUID, UUID, UUID]:
        """Return the ids of the reps."""
        ada, bo, cy = map(rep_id_of, self.rep_names)
        return ada, bo, cy


@dataclass
class Model:
    """One organisation: its state, the events told of it, the keys of what was done, and all facts told."""

    names: Names
    accounts: dict[str, Account] = field(default_factory=dict)
    plans: dict[UUID, Plan] = field(default_factory=dict)
    coverages: dict[UUID, Coverage] = field(default_factory=dict)
    live: UUID | None = None
    sequence: int = 0
    previous: dict[int, UUID | None] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    facts_commands: list[tuple[int, int]] = field(default_factory=list)
    events: dict[tuple[str, str], list[Told]] = field(default_factory=lambda: defaultdict(list))
    done: dict[str, set[str]] = field(default_factory=lambda: {"assignment": set(), "metrics": set()})

    def tell(self, topic: str, key: object, wire_type: str, **members: Any) -> None:
        """Note an event that has to be told next of its key."""
        self.events[topic, str(key)].append(Told(wire_type, members))

    # -- Accounts --------------------------------------------------------------------------------------------

    def import_account(self, name: str, county: str, employees: int, at: datetime) -> None:
        """Register an account, or change it where it differs, and align it by the live plan."""
        held = self.accounts.get(name)
        if held is not None and (held.county, held.employees) == (county, employees):
            return
        self.accounts[name] = Account(county, employees, held.territory_id if held else None)
        contract = assignment.AccountRegistered if held is None else assignment.AccountChanged
        members = {"external_id": name, "county": county, "employees": employees}
        self.tell(assignment.ACCOUNTS, account_id_of(name), contract.TYPE, **members)
        if self.live is not None:
            self._align(name, at)

    def _align(self, name: str, at: datetime) -> bool:
        account = self.accounts[name]
        to = self.sends_to(self.plans[self.live].rules, account.county) if self.live else None
        if to == account.territory_id:
            return False
        self.accounts[name] = replace(account, territory_id=to)
        members = {
            "from_territory_id": account.territory_id,
            "to_territory_id": to,
            "valid_from": at,
            "plan_id": self.live,
        }
        self.tell(assignment.ACCOUNTS, account_id_of(name), assignment.AccountAligned.TYPE, **members)
        return True

    def sends_to(self, rules: Rules, county: str) -> UUID | None:
        """Return where rules send a county; None for the one they do not know."""
        at = COUNTIES.index(county)
        return self.names.territories[rules[at]] if at < len(rules) else None

    def gate_blocks(self, rules: Rules) -> bool:
        """Tell whether rules would leave more than half of the accounts in a gap: the gate's limit for that."""
        gaps = sum(self.sends_to(rules, one.county) is None for one in self.accounts.values())
        return 2 * gaps > len(self.accounts)

    # -- Plans -----------------------------------------------------------------------------------------------

    def draft(self, plan_id: UUID, rules: Rules, *, based_on: UUID | None) -> None:
        """Have a new draft."""
        self.plans[plan_id] = Plan(1, rules)
        members = {"based_on_plan_id": based_on}
        self.tell(assignment.PLANS, plan_id, assignment.PlanDrafted.TYPE, **members)

    def revise(self, plan_id: UUID, rules: Rules | None = None) -> None:
        """Change a draft's rules, or something else of it."""
        plan = self.plans[plan_id]
        self.plans[plan_id] = replace(plan, version=plan.version + 1, rules=rules or plan.rules)

    def activate(self, plan_id: UUID, at: datetime) -> int:
        """Put a plan in force, and align every account by it. Return how many moved."""
        before, self.live = self.live, plan_id
        self.sequence += 1
        self.previous[self.sequence] = before
        moved = sum(self._align(name, at) for name in self.accounts)
        plan = self.plans[plan_id]
        if plan.state == "draft":
            self.tell(assignment.TERRITORIES, plan_id, assignment.TreePublished.TYPE)
        if before is not None:
            old = self.plans[before]
            self.plans[before] = replace(old, version=old.version + 1, state="retired")
            self.tell(assignment.PLANS, before, assignment.PlanRetired.TYPE, retired_at=at)
        self.plans[plan_id] = replace(plan, version=plan.version + 1, state="active")
        members = {
            "sequence": self.sequence,
            "previous_plan_id": before,
            "moved_accounts": moved,
            "effective_at": at,
        }
        self.tell(assignment.PLANS, plan_id, assignment.PlanActivated.TYPE, **members)
        return moved

    # -- Coverages -------------------------------------------------------------------------------------------

    def newest_plan(self, which: int = 0) -> UUID:
        """Return the newest plan, or one of those before it."""
        newest = list(self.plans)[::-1]
        return newest[which % len(newest)]

    def running(self, territory_id: UUID) -> UUID | None:
        """Return the coverage that lasts."""
        for coverage_id, coverage in self.coverages.items():
            if coverage.territory_id == territory_id and coverage.valid_to is None:
                return coverage_id
        return None

    def cover(self, coverage_id: UUID, territory_id: UUID, rep_id: UUID, at: datetime) -> None:
        """Have a rep take a territory over."""
        if (running := self.running(territory_id)) is not None:
            self.end(running, at)
        self.coverages[coverage_id] = Coverage(territory_id, rep_id, at)
        members = {"coverage_id": coverage_id, "rep_id": rep_id, "valid_from": at}
        self.tell(assignment.COVERAGES, territory_id, assignment.CoverageStarted.TYPE, **members)

    def end(self, coverage_id: UUID, at: datetime) -> None:
        """End a coverage."""
        coverage = self.coverages[coverage_id]
        self.coverages[coverage_id] = replace(coverage, valid_to=at)
        members = {"coverage_id": coverage_id, "rep_id": coverage.rep_id, "valid_to": at}
        self.tell(assignment.COVERAGES, coverage.territory_id, assignment.CoverageEnded.TYPE, **members)

    # -- Facts -----------------------------------------------------------------------------------------------

    def tell_facts(self, facts: list[Fact], statuses: list[str]) -> None:
        """Note facts, with what the answer says has become of each.

        Between how many records may come of them: what was accepted has to be told, what contradicts may have to be.
        """
        self.facts += facts
        needed = "accepted" in statuses
        self.facts_commands.append((int(needed), int(needed or "conflict" in statuses)))

    def alignments(self) -> dict[tuple[UUID, int], assignment.AccountAligned]:
        """Return every alignment by account and version, as events."""
        return {
            (UUID(key), version): assignment.AccountAligned(
                account_id=UUID(key), activation_id=None, cause="rule", rule_id=None, **told.members
            )
            for (topic, key), events in self.events.items()
            if topic == assignment.ACCOUNTS
            for version, told in enumerate(events, 1)
            if told.wire_type == assignment.AccountAligned.TYPE
        }


ORDERLY = {
    assignment.ACCOUNTS,
    assignment.PLANS,
    assignment.TERRITORIES,
    assignment.COVERAGES,
    assignment.REPS,
}
"""Topics of which every event is predicted. Facts are checked by what is in them."""
FACTS = sales.FACTS
