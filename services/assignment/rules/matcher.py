"""Match: decides for an account, from its values alone, which territory its plan's rules send it to.

An account that is held by hand stays where it is held, whatever else the plan says of it; behind that, one that the
plan places goes where it is placed, whatever the rules say.

The lowest position wins. Rules of one position that want different territories are a tie: the account
goes nowhere and the tie is the result. Nothing here reads or writes anything.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID

from services.assignment.rules.anchors import Key, find_anchors
from services.assignment.rules.condition import FIELDS, INDEX, SEPARATOR, SEVERAL, fields_of
from services.assignment.rules.evaluation import Test, Values, compile_condition
from services.assignment.rules.rule import Rule


class Reason(StrEnum):
    """Why an account belongs to no territory."""

    NO_MATCH = "no_match"
    TIE = "tie"


@dataclass(frozen=True, slots=True)
class Match:
    """Where an account belongs and by which rule, pin or placement (`design`), or why nowhere.

    `tied` are the rules that disagree.
    """

    territory_id: UUID | None
    rule_id: UUID | None
    reason: Reason | None = None
    tied: tuple[UUID, ...] = ()
    cause: Literal["rule", "pin", "design"] = "rule"


def held_in(territory_id: UUID) -> Match:
    """Return what matching says of an account that is held in a territory by hand."""
    return Match(territory_id, None, cause="pin")


def placed_in(territory_id: UUID) -> Match:
    """Return what matching says of an account that its plan places in a territory."""
    return Match(territory_id, None, cause="design")


def decide(met: Sequence[Rule]) -> Match:
    """Return what rules of one position, met and in the order of their ids, say together."""
    winner = met[0]
    if any(rule.territory_id != winner.territory_id for rule in met):
        return Match(None, None, Reason.TIE, tuple(rule.rule_id for rule in met))
    return Match(winner.territory_id, winner.rule_id)


NO_MATCH = Match(None, None, Reason.NO_MATCH)

ACCOUNT_ID = len(FIELDS)
"""Where a unit's row holds who it is, after the values that rules look at. Only held accounts need it."""

PLACED_IN = ACCOUNT_ID + 1
"""Where it holds in which territory the plan places it, if in one. Only plans with placements need it."""

# Answers remembered by the rules that no index reaches; beyond this many they are worked out each time.
_MEMORY = 200_000


@dataclass(frozen=True, slots=True)
class _Entry:
    """A rule ready to be tried; `test` is None where being looked up proved it met already."""

    rule: Rule
    test: Test | None
    match: Match


class Matcher:
    """The rules of a plan, indexed by the values they ask for.

    An account is tried against the few rules that its own values lead to; so 500 rules by county and ZIP
    cost a handful of dictionary lookups. Rules that no value leads to (ranges, negations) look at few
    fields of few values, so what they say is remembered by those.
    """

    def __init__(
        self, rules: Iterable[Rule], held: Mapping[UUID, UUID] | None = None, *, places: bool = False
    ) -> None:
        """Index rules, behind what `held` accounts are pinned in; `places` tells that the plan has placements."""
        self._held = {account: held_in(territory) for account, territory in (held or {}).items()}
        self._places = places
        # Few territories, many accounts: one answer each.
        self._placed: dict[UUID, Match] = {}
        # Equal positions are tried by id, so that the answer never depends on the order of loading.
        ordered = sorted(rules, key=lambda rule: (rule.position, rule.rule_id))
        self._entries: list[_Entry] = []
        self._unindexed: list[int] = []
        by_value: dict[Key, list[int]] = {}
        by_prefix: dict[Key, list[int]] = {}
        for number, rule in enumerate(ordered):
            anchors = find_anchors(rule.condition)
            sure = anchors is not None and anchors.sufficient
            test = None if sure else compile_condition(rule.condition)
            self._entries.append(_Entry(rule, test, Match(rule.territory_id, rule.rule_id)))
            if anchors is None:
                self._unindexed.append(number)
                continue
            for key in anchors.values:
                by_value.setdefault(key, []).append(number)
            for key in anchors.prefixes:
                by_prefix.setdefault(key, []).append(number)
        several = {INDEX[field] for field in SEVERAL}
        tables = _per_field(by_value)
        self._by_value = [(index, table) for index, table in tables if index not in several]
        self._by_member = [(index, table) for index, table in tables if index in several]
        self._by_prefix = [
            (index, sorted({len(str(prefix)) for prefix in table}), table)
            for index, table in _per_field(by_prefix)
        ]
        seen = {field for number in self._unindexed for field in fields_of(ordered[number].condition)}
        self._remembered_by = tuple(sorted(INDEX[field] for field in seen))
        self._memory: dict[tuple[object, ...], Sequence[int]] = {}
        self._whole_memory: dict[tuple[object, ...], Sequence[int]] = {}

    def match(self, values: Values) -> Match:
        """Return where an account with these values belongs."""
        if (self._held or self._places) and (settled := self._settled(values)) is not None:
            return settled
        met = self._first_met(self._candidates(values), values)
        if not met:
            return NO_MATCH
        if len(met) > 1:
            return decide([self._entries[number].rule for number in met])
        return self._entries[met[0]].match

    def wanting(self, values: Values) -> frozenset[UUID]:
        """Return every territory that some rule would send the account to; one held or placed is in one place."""
        if (self._held or self._places) and (settled := self._settled(values)) is not None:
            return frozenset(() if settled.territory_id is None else (settled.territory_id,))
        met = [
            number for numbers in self._indexed(values) for number in numbers if self._is_met(number, values)
        ]
        if self._unindexed:
            met += self._all_unindexed(values)
        return frozenset(self._entries[number].rule.territory_id for number in met)

    def _settled(self, values: Values) -> Match | None:
        """Return where the account is held, or else placed, before any rule is asked."""
        held = self._held.get(values[ACCOUNT_ID])
        if held is not None or not self._places:
            return held
        territory_id = values[PLACED_IN]
        if territory_id is None:
            return None
        placed = self._placed.get(territory_id)
        if placed is None:
            placed = self._placed[territory_id] = placed_in(territory_id)
        return placed

    def _candidates(self, values: Values) -> Sequence[int]:
        lists = self._indexed(values)
        if self._unindexed:
            lists.append(self._first_unindexed(values))
        if len(lists) < 2:
            return lists[0] if lists else ()
        return sorted({number for numbers in lists for number in numbers})

    def _indexed(self, values: Values) -> list[Sequence[int]]:
        lists: list[Sequence[int]] = []
        for index, table in self._by_value:
            hits = table.get(values[index])
            if hits is not None:
                lists.append(hits)
        if self._by_member:
            lists += self._by_members(values)
        for index, lengths, table in self._by_prefix:
            value = values[index]
            if value is not None:
                for length in lengths:
                    hits = table.get(value[:length])
                    if hits is not None:
                        lists.append(hits)
        return lists

    def _by_members(self, values: Values) -> Iterator[Sequence[int]]:
        for index, table in self._by_member:
            value = values[index]
            for member in (None,) if value is None else value.split(SEPARATOR):
                if (hits := table.get(member)) is not None:
                    yield hits

    def _first_unindexed(self, values: Values) -> Sequence[int]:
        key = tuple(values[index] for index in self._remembered_by)
        met = self._memory.get(key)
        if met is None:
            met = self._first_met(self._unindexed, values)
            if len(self._memory) < _MEMORY:
                self._memory[key] = met
        return met

    def _all_unindexed(self, values: Values) -> Sequence[int]:
        key = tuple(values[index] for index in self._remembered_by)
        met = self._whole_memory.get(key)
        if met is None:
            met = [number for number in self._unindexed if self._is_met(number, values)]
            if len(self._whole_memory) < _MEMORY:
                self._whole_memory[key] = met
        return met

    def _is_met(self, number: int, values: Values) -> bool:
        test = self._entries[number].test
        return test is None or test(values)

    def _first_met(self, candidates: Iterable[int], values: Values) -> list[int]:
        """Return the rules that are met at the lowest position at which one is."""
        met: list[int] = []
        position = 0
        for number in candidates:
            entry = self._entries[number]
            if met and entry.rule.position > position:
                break
            if entry.test is None or entry.test(values):
                met.append(number)
                position = entry.rule.position
        return met


def _per_field(keyed: dict[Key, list[int]]) -> list[tuple[int, dict[object, list[int]]]]:
    tables: list[dict[object, list[int]]] = [{} for _ in INDEX]
    for (index, value), numbers in keyed.items():
        tables[index][value] = numbers
    return [(index, table) for index, table in enumerate(tables) if table]
