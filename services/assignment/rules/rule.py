"""A rule: accounts that meet a condition go to a territory; the lowest position wins."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.assignment.rules.condition import Condition
from services.assignment.rules.condition_reader import ConditionReader
from services.assignment.rules.refusals import InvalidRules

MAX_RULES = 5_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A checked rule of a plan; `rule_id` stays the same in the plan's clones."""

    rule_id: UUID
    name: str
    territory_id: UUID
    position: int
    condition: Condition


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as the planner wrote it; its condition is JSON yet to be checked."""

    rule_id: UUID
    name: str
    territory_id: UUID
    position: int
    condition: object


def check_rules(
    texts: Sequence[RuleText], *, territories: Collection[UUID], pointer: str = "/rules/{index}"
) -> tuple[Rule, ...]:
    """Check rules against the plan they stand in. Raises InvalidRules naming every place."""
    rules: list[Rule] = []
    errors: list[dict[str, Any]] = []
    ids = Counter(text.rule_id for text in texts)
    for index, text in enumerate(texts):
        place = pointer.format(index=index)
        reader = ConditionReader()
        condition = reader.read(text.condition, f"{place}/condition")
        found = [*_misfits(text, ids, territories, place), *reader.problems]
        errors.extend({"pointer": where, "detail": what} for where, what in found)
        if condition is not None:
            rules.append(Rule(text.rule_id, text.name, text.territory_id, text.position, condition))
    if errors:
        raise InvalidRules(
            "; ".join(f"{error['pointer']}: {error['detail']}" for error in errors[:3]), errors=errors[:100]
        )
    return tuple(rules)


def _misfits(
    text: RuleText, ids: Counter[UUID], territories: Collection[UUID], place: str
) -> Iterator[tuple[str, str]]:
    if ids[text.rule_id] > 1:
        yield f"{place}/rule_id", "this id stands here twice"
    if text.territory_id not in territories:
        yield f"{place}/territory_id", "the plan's tree has no such territory"
