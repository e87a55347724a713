"""Reads assignment rules, their items and where they apply into rules of a plan.

An inherited rule holds for its territory and, joined by AND, for every rule of a territory below. The deeper
territory comes first, so an account goes to the lowest one that takes it, as in Salesforce.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.assignment.crm.import_report import ImportReport, Row, read_rows
from services.assignment.crm.references import RULE, TERRITORY, References
from services.assignment.crm.salesforce.boolean_filter import WrongFilter, parse_filter
from services.assignment.crm.salesforce.rule_items import join_items, read_item
from services.assignment.crm.shapes import WrongRecord, read_id
from services.assignment.rules.condition import describe_condition
from services.assignment.rules.refusals import InvalidRules
from services.assignment.rules.rule import MAX_RULES, Rule, RuleText, check_rules
from services.assignment.territories.tree import MAX_DEPTH, Tree

RULES, ITEMS, PLACES = (
    "ObjectTerritory2AssignmentRule",
    "ObjectTerritory2AssignmentRuleItem",
    "RuleTerritory2Association",
)
POSITION_FIELD = "Bailiwick_Position__c"
MAX_POSITION = 1_000_000
_STEP = 1_000


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a rule applies."""

    row: Row
    territory_id: UUID
    external_id: str
    inherited: bool


@dataclass(frozen=True, slots=True)
class RuleRecords:
    """The three lists that rules are made of."""

    rules: Sequence[Any]
    items: Sequence[Any]
    places: Sequence[Any]


@dataclass(frozen=True, slots=True)
class KnownRules:
    """The rules that the plan has, in the tree that they were written for."""

    tree: Tree
    rules: Sequence[Rule]


def read_rules(
    records: RuleRecords,
    known: KnownRules,
    tree: Tree,
    references: References,
    report: ImportReport,
) -> list[RuleText]:
    """Return the plan's rules with those of the document among them; `tree` is what the territories become."""
    reading = _Reading(tree, known, references, report)
    return reading.read(records)


def write_text(rule: Rule) -> RuleText:
    """Return a rule as it is written."""
    condition = describe_condition(rule.condition)
    return RuleText(rule.rule_id, rule.name, rule.territory_id, rule.position, condition)


class _Reading:
    def __init__(self, tree: Tree, known: KnownRules, references: References, report: ImportReport) -> None:
        self._parents = _parents(tree)
        self._parents_before = _parents(known.tree)
        self._before = {rule.rule_id: write_text(rule) for rule in known.rules}
        self._references = references
        self._report = report
        self._after = dict(self._before)
        # What each territory hands down; None where a rule that is handed down was refused.
        self._inherited: dict[UUID, list[dict[str, Any] | None]] = defaultdict(list)

    def read(self, records: RuleRecords) -> list[RuleText]:
        """Read items first, then rules, then put each where it applies."""
        items = self._items(records.items)
        conditions: dict[str, dict[str, Any]] = {}
        rows: dict[str, Row] = {}
        refused: dict[str, tuple[Row, WrongRecord]] = {}
        for row in read_rows(RULES, records.rules, self._report):
            rows[row.external_id] = row
            try:
                conditions[row.external_id] = _condition(row, items.pop(row.external_id, []))
            except WrongRecord as wrong:
                refused[row.external_id] = row, wrong
        self._orphans(items)
        places = self._places(records.places, rows)
        for external_id, found in places.items():
            for place in found:
                if place.inherited:
                    self._inherited[place.territory_id].append(conditions.get(external_id))
        for external_id, row in rows.items():
            try:
                if external_id in refused:
                    raise refused[external_id][1]
                self._put(row, conditions[external_id], places.get(external_id, []))
            except WrongRecord as wrong:
                self._report.refuse(row, wrong)
        return list(self._after.values())

    def _items(self, records: Sequence[Any]) -> dict[str, list[tuple[Row, Any]]]:
        found: dict[str, list[tuple[Row, Any]]] = defaultdict(list)
        for row in read_rows(ITEMS, records, self._report, needs_id=False):
            try:
                rule = row.reference("RuleId")
                if isinstance(order := row.record.get("SortOrder"), bool) or not isinstance(order, int):
                    raise WrongRecord("SortOrder", "a whole number: the item's place in BooleanFilter")  # noqa: TRY301
            except WrongRecord as wrong:
                self._report.refuse(row, wrong)
                rule = _named(row.record)
                found[rule].append((row, None))
                continue
            try:
                found[rule].append((row, read_item(row.record)))
                self._report.take(ITEMS, known=True, same=True)
            except WrongRecord as wrong:
                self._report.refuse(row, wrong)
                found[rule].append((row, None))
        return found

    def _orphans(self, items: dict[str, list[tuple[Row, Any]]]) -> None:
        for rows in items.values():
            for row, condition in rows:
                if condition is not None:
                    tally = self._report.tally(ITEMS)
                    tally.unchanged -= 1
                    self._report.refuse(
                        row, WrongRecord("RuleId", f"the document has no such {RULES}", "unknown-reference")
                    )

    def _places(self, records: Sequence[Any], rows: Mapping[str, Row]) -> dict[str, list[_Place]]:
        found: dict[str, list[_Place]] = defaultdict(list)
        for row in read_rows(PLACES, records, self._report, needs_id=False):
            try:
                rule = row.reference("RuleId")
                if rule not in rows:
                    raise WrongRecord("RuleId", f"the document has no such {RULES}", "unknown-reference")  # noqa: TRY301 - counted once
                found[rule].append(self._place(row, found[rule]))
            except WrongRecord as wrong:
                self._report.refuse(row, wrong)
                continue
            self._report.take(PLACES, known=True, same=True)
        return found

    def _place(self, row: Row, others: Sequence[_Place]) -> _Place:
        territory = row.reference("Territory2Id")
        territory_id = self._references.find(TERRITORY, territory)
        if territory_id not in self._parents:
            raise WrongRecord(
                "Territory2Id", "the plan has no such territory, or its row was refused", "unknown-reference"
            )
        if any(place.territory_id == territory_id for place in others):
            raise WrongRecord("Territory2Id", "the rule applies there already, by a row before", "duplicate")
        return _Place(row, territory_id, territory, row.flag("IsInherited", default=False))

    def _put(self, row: Row, condition: dict[str, Any], places: Sequence[_Place]) -> None:
        """Put a rule at each of its places, or, if one of them will not do, at none. Raises WrongRecord."""
        if not places:
            raise WrongRecord("Id", f"applies nowhere: no {PLACES} of it was taken", "missing")
        texts = {}
        for place in places:
            name = self._name_of(row, place, alone=len(places) == 1)
            texts[name] = self._text(row, name, condition, place)
        if len(self._after.keys() | {text.rule_id for text in texts.values()}) > MAX_RULES:
            raise WrongRecord("Id", f"a plan has at most {MAX_RULES} rules")
        known = [self._before.get(text.rule_id) for text in texts.values()]
        for name, text in texts.items():
            self._after[text.rule_id] = text
            self._references.add(RULE, name, text.rule_id)
        same = known == list(texts.values())
        self._report.take(RULES, known=any(known), same=same)

    def _name_of(self, row: Row, place: _Place, *, alone: bool) -> str:
        # A rule in one place has its own name here; it keeps it when Salesforce adds a second place.
        before = self._before.get(self._references.find(RULE, row.external_id))
        if alone or (before is not None and before.territory_id == place.territory_id):
            return row.external_id
        return f"{row.external_id}@{place.external_id}"

    def _text(self, row: Row, name: str, condition: dict[str, Any], place: _Place) -> RuleText:
        rule_id = self._references.find(RULE, name)
        text = RuleText(
            rule_id,
            _label(row, self._before.get(rule_id)),
            place.territory_id,
            self._position(row, self._before.get(rule_id), place),
            self._with_inherited(condition, place.territory_id),
        )
        try:
            (rule,) = check_rules([text], territories=self._parents, pointer="")
        except InvalidRules as invalid:
            raise WrongRecord("BooleanFilter", invalid.detail) from None
        return write_text(rule)

    def _with_inherited(self, condition: dict[str, Any], territory_id: UUID) -> dict[str, Any]:
        handed_down: list[dict[str, Any]] = []
        above = self._parents[territory_id]
        while above is not None:
            found = self._inherited.get(above, [])
            usable = [one for one in found if one is not None]
            if len(usable) < len(found):
                raise WrongRecord(
                    "Id",
                    "a rule that a territory above hands down was refused; mend that one first",
                    "depends-on-refused",
                )
            if usable:
                handed_down.append(usable[0] if len(usable) == 1 else {"any": usable})
            above = self._parents[above]
        return {"all": [*reversed(handed_down), condition]} if handed_down else condition

    def _position(self, row: Row, before: RuleText | None, place: _Place) -> int:
        by_depth = _position_at(self._parents, place.territory_id)
        if before is not None and POSITION_FIELD not in row.record:
            # One that was given by depth goes with the territory; one that was chosen stays.
            given = _position_at(self._parents_before, before.territory_id)
            return by_depth if before.position == given else before.position
        return _read_position(row, by_depth)


def _parents(tree: Tree) -> dict[UUID, UUID | None]:
    return {node.territory_id: node.parent_id for node in tree.territories}


def _position_at(parents: Mapping[UUID, UUID | None], territory_id: UUID) -> int:
    """Return the position of a rule that is given none: the deeper its territory, the earlier."""
    depth, above = 0, parents[territory_id]
    while above is not None:
        depth, above = depth + 1, parents[above]
    return (MAX_DEPTH - depth) * _STEP


def _label(row: Row, before: RuleText | None) -> str:
    if before is not None and row.record.keys().isdisjoint({"MasterLabel", "DeveloperName"}):
        return before.name
    return row.text("MasterLabel") or row.text("DeveloperName") or row.external_id


def _condition(row: Row, items: list[tuple[Row, Any]]) -> dict[str, Any]:
    row.active()
    if row.record.get("ObjectType", "Account") != "Account":
        raise WrongRecord("ObjectType", "rules are about accounts: Account", "unsupported")
    if not items:
        raise WrongRecord("Id", f"has no {ITEMS} in the document", "missing")
    if any(condition is None for _, condition in items):
        raise WrongRecord(
            "Id",
            "one of its items was refused; without it the rule would mean something else",
            "depends-on-refused",
        )
    ordered = sorted(items, key=lambda item: item[0].record["SortOrder"])
    if len({item[0].record["SortOrder"] for item in items}) < len(items):
        raise WrongRecord("Id", "two of its items have one SortOrder", "duplicate")
    conditions = [condition for _, condition in ordered]
    text = row.record.get("BooleanFilter")
    if text is None or text == "":
        return conditions[0] if len(conditions) == 1 else {"all": conditions}
    if not isinstance(text, str):
        raise WrongRecord("BooleanFilter", 'text, such as "(1 AND 2) OR 3"')
    try:
        return join_items(parse_filter(text, items=len(conditions)), conditions)
    except WrongFilter as wrong:
        raise WrongRecord("BooleanFilter", str(wrong)) from None


def _read_position(row: Row, by_depth: int) -> int:
    raw = row.record.get(POSITION_FIELD)
    if raw is None:
        return by_depth
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)  # Salesforce writes numbers of custom fields with a decimal point
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= MAX_POSITION:
        raise WrongRecord(POSITION_FIELD, f"a whole number from 0 to {MAX_POSITION}")
    return raw


def _named(record: Mapping[str, Any]) -> str:
    try:
        return read_id(record.get("RuleId"), "RuleId")
    except WrongRecord:
        return ""
