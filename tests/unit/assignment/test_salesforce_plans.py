"""Whatever plan is written as Territory2 records reads back as the same plan, under their ids and under ours."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.assignment.crm.import_report import ImportReport
from services.assignment.crm.references import TERRITORY, References
from services.assignment.crm.salesforce.plan_writer import PlanParts, write_plan
from services.assignment.crm.salesforce.rule_reader import (
    ITEMS,
    PLACES,
    RULES,
    KnownRules,
    RuleRecords,
    read_rules,
)
from services.assignment.crm.salesforce.territory_reader import TERRITORIES, TYPES, read_territories
from services.assignment.crm.shapes import System
from services.assignment.plans.plan import PlanState
from services.assignment.rules.condition import AnyOf, describe_condition
from services.assignment.rules.condition_reader import ConditionReader
from services.assignment.rules.rule import Rule, RuleText, check_rules
from services.assignment.territories.tree import Territory, TerritoryKind, Tree
from tests.unit.assignment.test_salesforce_rules import CONDITIONS

EMPTY = Tree(())


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Return a tree; each territory lies under one before it, or is a root."""
    nodes: list[Territory] = []
    for number in range(draw(st.integers(1, 6))):
        parent = draw(st.sampled_from([None, *(node.territory_id for node in nodes)]))
        nodes.append(
            Territory(
                UUID(int=number + 1),
                parent,
                f"name {number}",
                draw(st.sampled_from(TerritoryKind)),
                draw(st.none() | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,5}", fullmatch=True)),
            )
        )
    return Tree(tuple(nodes))


@st.composite
def plans(draw: st.DrawFn) -> tuple[Tree, list[Rule]]:
    """Return a tree with rules for it."""
    tree = draw(trees())
    rules = [
        Rule(
            UUID(int=1000 + number),
            f"rule {number}",
            draw(st.sampled_from(tree.territories)).territory_id,
            draw(st.integers(0, 1_000_000)),
            condition,
        )
        for number, condition in enumerate(draw(st.lists(CONDITIONS, max_size=4)))
        if ConditionReader().read(describe_condition(condition), "") is not None
    ]
    return tree, rules


def _read(records, references: References, *, tree: Tree = EMPTY, rules=()):
    report = ImportReport()
    planted = read_territories(records[TERRITORIES], records[TYPES], tree, references, report)
    written = RuleRecords(records[RULES], records[ITEMS], records[PLACES])
    texts = read_rules(written, KnownRules(tree, rules), planted, references, report)
    assert report.errors == []
    return (
        planted,
        check_rules(texts, territories=[node.territory_id for node in planted.territories]),
        report,
    )


def _write(tree: Tree, rules, references: References):
    return write_plan(PlanParts(UUID(int=7), "Plan", PlanState.DRAFT, tree, rules, []), references)


@given(plan=plans(), known_there=st.booleans())
def test_what_is_written_reads_as_the_same_plan(*, plan: tuple[Tree, list[Rule]], known_there: bool):
    tree, rules = plan
    known = {(TERRITORY, f"0MI{node.territory_id.int}"): node.territory_id for node in tree.territories}
    references = References(System.SALESFORCE, known if known_there else {})
    records = _write(tree, rules, references)
    planted, read, _ = _read(records, references)
    assert set(planted.territories) == set(tree.territories)
    assert [_without_condition(rule) for rule in read] == [_without_condition(rule) for rule in rules]
    assert _write(planted, read, references) == records
    # What is there already is as it was: the same records once more change nothing.
    again, same, report = _read(records, references, tree=planted, rules=read)
    assert (set(again.territories), same) == (set(planted.territories), read)
    assert all(tally.created == tally.changed == 0 for tally in report.objects.values())


def _without_condition(rule: Rule) -> RuleText:
    return RuleText(rule.rule_id, rule.name, rule.territory_id, rule.position, None)


def test_inherited_rules_are_joined_from_the_root_down():
    """Salesforce: who meets the parent's inherited rule alone stays there; the child's rule needs both."""
    item = {"Field": "Industry", "Operation": "equals", "SortOrder": 1}
    records = {
        TYPES: [],
        TERRITORIES: [
            {"Id": "P", "Name": "Parent"},
            {"Id": "C", "Name": "Child", "ParentTerritory2Id": "P"},
        ],
        RULES: [{"Id": "R1"}, {"Id": "R2"}, {"Id": "R3"}],
        ITEMS: [{**item, "RuleId": f"R{n}", "Value": f"i{n}"} for n in (1, 2, 3)],
        PLACES: [
            {"RuleId": "R1", "Territory2Id": "P", "IsInherited": True},
            {"RuleId": "R2", "Territory2Id": "P", "IsInherited": True},
            {"RuleId": "R3", "Territory2Id": "C"},
        ],
    }
    references = References(System.SALESFORCE, {})
    _, rules, _ = _read(records, references)
    child = references.find(TERRITORY, "C")
    (of_child,) = [rule for rule in rules if rule.territory_id == child]
    parent = AnyOf(tuple(rule.condition for rule in rules if rule.territory_id != child))
    assert describe_condition(of_child.condition) == {
        "all": [describe_condition(parent), {"field": "industry", "op": "eq", "value": "i3"}]
    }
    assert of_child.position < min(rule.position for rule in rules if rule is not of_child)
