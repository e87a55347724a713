"""The matcher against a naive interpreter that tries every rule on every account, as the README tells it."""

from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.assignment.rules.condition import FIELDS, NUMBERS, SEVERAL, describe_condition
from services.assignment.rules.condition_reader import read_stored
from services.assignment.rules.matcher import Match, Matcher, Reason
from services.assignment.rules.rule import Rule

# Few values, so that rules and accounts meet; among them leading zeros, accents and words that mean nothing.
TEXTS = {
    "external_id": ["1", "01", "A-1", "Ä"],
    "postal_code": ["01841", "1841", "01842", "01841-0001"],
    "county": ["01001", "10010", "00000"],
    "state": ["TX", "NA"],
    "industry": ["NA", "null", "None", "Gemüse", "gemüse", "0"],
    "language": ["es", "pt", "pt-BR"],
    "need": ["training", "renewal", "support"],
}
# Several at once; one kind is the beginning of another, which is not to be mistaken for it.
NEEDS = ["training", "renewal,training", "renewal,support", "support,train", "re-training"]
SIZES = [0, 1, 49, 50, 51, 2_147_483_647]


def _comparison(field: str) -> st.SearchStrategy[dict[str, Any]]:
    values = st.sampled_from(SIZES) if field in NUMBERS else st.sampled_from(TEXTS[field])
    lists = st.lists(values, min_size=1, max_size=3)
    prefixes = st.builds(lambda text, length: text[:length], values.map(str), st.integers(1, 3))
    by_op: dict[str, st.SearchStrategy[Any]] = {
        "eq": values,
        "ne": values,
        "in": lists,
        "not_in": lists,
        "is_missing": st.booleans(),
    }
    if field in NUMBERS:
        by_op |= dict.fromkeys(("lt", "lte", "gt", "gte"), values)
        by_op["between"] = st.tuples(values, values).map(sorted)
    elif field not in SEVERAL:
        by_op["starts_with"] = prefixes
    return st.one_of(
        *(
            st.builds(lambda value, op=op: {"field": field, "op": op, "value": value}, of)
            for op, of in by_op.items()
        )
    )


comparisons = st.sampled_from(FIELDS).flatmap(_comparison)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=6,
)
rules = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), conditions), min_size=0, max_size=8)
accounts = st.fixed_dictionaries(
    {
        field: st.none()
        | st.sampled_from(SIZES if field in NUMBERS else NEEDS if field in SEVERAL else TEXTS[field])
        for field in FIELDS
    }
)


def _meets(account: dict[str, Any], condition: dict[str, Any]) -> bool:
    if "all" in condition:
        return all(_meets(account, part) for part in condition["all"])
    if "any" in condition:
        return any(_meets(account, part) for part in condition["any"])
    value, wanted = account[condition["field"]], condition["value"]
    if condition["op"] == "is_missing":
        return (value is None) == wanted
    if value is None:
        return False
    if condition["field"] in SEVERAL:
        some = set(value.split(",")) & {*([wanted] if isinstance(wanted, str) else wanted)}
        return bool(some) if condition["op"] in {"eq", "in"} else not some
    verdicts = {
        "eq": lambda: value == wanted,
        "ne": lambda: value != wanted,
        "in": lambda: value in wanted,
        "not_in": lambda: value not in wanted,
        "starts_with": lambda: value.startswith(wanted),
        "lt": lambda: value < wanted,
        "lte": lambda: value <= wanted,
        "gt": lambda: value > wanted,
        "gte": lambda: value >= wanted,
        "between": lambda: wanted[0] <= value <= wanted[1],
    }
    return bool(verdicts[condition["op"]]())


def _naive(
    drawn: list[tuple[int, int, dict[str, Any]]], account: dict[str, Any]
) -> tuple[int | None, str | None, set[int]]:
    """Return the territory, or the reason for none, and the rules that were met at the deciding position."""
    met = [
        (position, number, territory)
        for number, (territory, position, condition) in enumerate(drawn)
        if _meets(account, condition)
    ]
    if not met:
        return None, "no_match", set()
    lowest = min(position for position, _, _ in met)
    deciding = [(number, territory) for position, number, territory in met if position == lowest]
    territories = {territory for _, territory in deciding}
    numbers = {number for number, _ in deciding}
    return (territories.pop(), None, numbers) if len(territories) == 1 else (None, "tie", numbers)


def _rules(drawn: list[tuple[int, int, dict[str, Any]]]) -> list[Rule]:
    return [
        Rule(UUID(int=1_000 + number), "rule", UUID(int=territory), position, read_stored(condition))
        for number, (territory, position, condition) in enumerate(drawn)
    ]


@settings(max_examples=250, deadline=None)
@given(rules, st.lists(accounts, min_size=1, max_size=6))
def test_the_index_finds_what_trying_every_rule_finds(
    drawn: list[tuple[int, int, dict[str, Any]]], several: list[dict[str, Any]]
) -> None:
    matcher = Matcher(_rules(drawn))
    for account in [*several, *several]:
        found = matcher.match([account[field] for field in FIELDS])
        territory, reason, deciding = _naive(drawn, account)
        assert found.territory_id == (None if territory is None else UUID(int=territory))
        assert found.reason == reason
        deciding_ids = {UUID(int=1_000 + number) for number in deciding}
        if reason == "tie":
            assert (found.rule_id, set(found.tied)) == (None, deciding_ids)
        elif reason is None:
            # Of several rules that agree, the one with the lowest id is the one that is named.
            assert (found.rule_id, found.tied) == (min(deciding_ids), ())


@settings(max_examples=250, deadline=None)
@given(rules, st.lists(accounts, min_size=1, max_size=6))
def test_every_territory_that_wants_an_account_is_found_whatever_the_positions(
    drawn: list[tuple[int, int, dict[str, Any]]], several: list[dict[str, Any]]
) -> None:
    matcher = Matcher(_rules(drawn))
    for account in [*several, *several]:
        wanted = {UUID(int=territory) for territory, _, condition in drawn if _meets(account, condition)}
        assert matcher.wanting([account[field] for field in FIELDS]) == wanted


@settings(max_examples=100, deadline=None)
@given(rules, accounts, st.randoms(use_true_random=False))
def test_the_order_of_rules_in_the_list_decides_nothing(
    drawn: list[tuple[int, int, dict[str, Any]]], account: dict[str, Any], random: Any
) -> None:
    listed = _rules(drawn)
    shuffled = random.sample(listed, len(listed))
    values = [account[field] for field in FIELDS]
    assert Matcher(listed).match(values) == Matcher(shuffled).match(values)


@settings(max_examples=200, deadline=None)
@given(conditions)
def test_a_condition_reads_back_as_it_was_written(condition: dict[str, Any]) -> None:
    read = read_stored(condition)
    assert read_stored(describe_condition(read)) == read


def _match(condition: dict[str, Any], **account: Any) -> Match:
    rule = Rule(UUID(int=9), "rule", UUID(int=1), 1, read_stored(condition))
    return Matcher([rule]).match([account.get(field) for field in FIELDS])


def test_a_missing_value_meets_nothing_but_is_missing() -> None:
    for op, value in (("ne", "NA"), ("not_in", ["NA"]), ("starts_with", "N"), ("eq", "None")):
        assert _match({"field": "industry", "op": op, "value": value}).reason is Reason.NO_MATCH
    assert _match({"field": "employees", "op": "lt", "value": 10}).reason is Reason.NO_MATCH
    assert _match({"field": "industry", "op": "is_missing"}).reason is None
    assert _match({"field": "industry", "op": "is_missing"}, industry="NA").reason is Reason.NO_MATCH
    assert _match({"field": "industry", "op": "is_missing", "value": False}, industry="NA").reason is None


def test_text_is_compared_composed() -> None:
    """An accent typed as two characters is the same letter as the one typed as one."""
    decomposed = {"field": "industry", "op": "eq", "value": "Gemu\u0308se"}
    assert _match(decomposed, industry="Gem\u00fcse").reason is None


@settings(max_examples=200, deadline=None)
@given(rules, accounts, st.sampled_from([7, 8]), st.none() | st.integers(1, 3).map(lambda n: UUID(int=n)))
def test_a_pin_decides_before_a_placement_and_a_placement_before_rules(
    drawn: list[tuple[int, int, dict[str, Any]]], account: dict[str, Any], pinned: int, placed: UUID | None
) -> None:
    who, elsewhere = UUID(int=7), UUID(int=0xE)
    unit = [*(account[field] for field in FIELDS), who, placed]
    held = {UUID(int=pinned): elsewhere}
    matcher = Matcher(_rules(drawn), held, places=True)
    match = matcher.match(unit)
    if who in held:
        assert (match.territory_id, match.rule_id, match.cause) == (elsewhere, None, "pin")
    elif placed is not None:
        assert (match.territory_id, match.rule_id, match.cause) == (placed, None, "design")
        assert matcher.match(unit) == match
    else:
        assert match == Matcher(_rules(drawn)).match(unit)
    if match.cause != "rule":
        assert matcher.wanting(unit) == {match.territory_id}
