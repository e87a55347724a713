"""Rules in Salesforce's shape: BooleanFilter and items, read and written back without loss."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.crm.salesforce.boolean_filter import Joined, WrongFilter, parse_filter, write_filter
from services.assignment.crm.salesforce.rule_items import join_items, read_item, write_items
from services.assignment.crm.shapes import WrongRecord
from services.assignment.rules.condition import FIELDS, AllOf, AnyOf, Comparison, describe_condition
from services.assignment.rules.condition_reader import read_stored
from services.assignment.rules.evaluation import compile_condition

NUMBERS = st.integers(1, 4)
FILTERS = st.recursive(
    NUMBERS,
    lambda inner: st.builds(
        Joined, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3).map(tuple)
    ),
    max_leaves=8,
)


def _named(condition) -> set[int]:
    return {condition} if isinstance(condition, int) else set().union(*map(_named, condition.parts))


def _holds(condition, values) -> bool:
    if isinstance(condition, int):
        return values[condition - 1]
    together = all if condition.operator == "AND" else any
    return together(_holds(part, values) for part in condition.parts)


@given(FILTERS)
def test_what_is_written_reads_the_same_and_means_what_python_takes_it_for(condition):
    used = sorted(_named(condition))
    dense = _renumbered(condition, {number: place + 1 for place, number in enumerate(used)})
    text = write_filter(dense)
    assert parse_filter(text, items=len(used)) == dense
    assert parse_filter(f"(({text.lower()} ))", items=len(used)) == dense
    python = compile(text.lower().replace(" ", "\t").translate(_NAMES), "filter", "eval")
    for values in product([False, True], repeat=len(used)):
        names = {name: value for name, value in zip("abcd", values, strict=False)}  # noqa: C416 - says which is which
        assert eval(python, {}, names) is _holds(dense, values)


_NAMES = str.maketrans({"1": "a", "2": "b", "3": "c", "4": "d"})


def _renumbered(condition, places):
    if isinstance(condition, int):
        return places[condition]
    return Joined(condition.operator, tuple(_renumbered(part, places) for part in condition.parts))


def test_the_example_of_the_reference():
    assert parse_filter("(1 AND 2) OR 3", items=3) == Joined("OR", (Joined("AND", (1, 2)), 3))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 AND",
        "1 OR 2 AND 3",
        "1 2 3",
        "(1 AND 2 AND 3",
        "1 AND 2 AND 3)",
        "1 AND 2 AND 4",
        "1 AND 2",
        "0",
        "NOT 1 AND 2 AND 3",
        "1 XOR 2 OR 3",
        "1 & 2 & 3",
        "(" * 50_000,
        "9" * 50_000,
        "1 AND 2 AND ٣",
        "()",
    ],
)
def test_what_is_no_filter_is_refused_with_a_reason(text: str):
    with pytest.raises(WrongFilter) as refused:
        parse_filter(text, items=3)
    assert str(refused.value)


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=8
)
COUNTS = st.integers(0, 20)
COMPARISONS = st.one_of(
    st.builds(Comparison, st.just("industry"), st.sampled_from(["eq", "ne", "starts_with"]), TEXTS),
    st.builds(
        Comparison,
        st.just("industry"),
        st.sampled_from(["in", "not_in"]),
        st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(tuple),
    ),
    st.builds(
        Comparison, st.just("employees"), st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte"]), COUNTS
    ),
    st.builds(
        Comparison,
        st.just("employees"),
        st.just("between"),
        st.tuples(COUNTS, COUNTS).map(lambda c: tuple(sorted(c))),
    ),
    st.builds(Comparison, st.sampled_from(["industry", "county"]), st.just("is_missing"), st.booleans()),
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.builds(
        lambda kind, parts: kind(tuple(parts)),
        st.sampled_from([AllOf, AnyOf]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)


def _read_back(condition):
    items, joined = write_items(condition)
    read = [
        read_item({"Field": item.field, "Operation": item.operation, "Value": item.value}) for item in items
    ]
    text = " AND ".join(str(number + 1) for number in range(len(items))) if joined is None else joined
    return read_stored(join_items(parse_filter(text, items=len(items)), read))


@given(CONDITIONS, st.lists(st.tuples(TEXTS | st.none(), COUNTS | st.none()), min_size=1, max_size=5))
def test_a_condition_written_as_items_means_the_same(condition, accounts):
    # Text is stored composed and trimmed, as the reader of rules leaves it.
    try:
        condition = read_stored(describe_condition(condition))
    except ValueError:
        return
    back = _read_back(condition)
    assert _read_back(back) == back, "written once more, nothing changes"
    before, after = compile_condition(condition), compile_condition(back)
    for industry, employees in accounts:
        values = tuple({"industry": industry, "employees": employees}.get(field) for field in FIELDS)
        assert before(values) == after(values)


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"Field": "Name", "Operation": "equals", "Value": "x"}, "Field"),
        ({"Field": None, "Operation": "equals", "Value": "x"}, "Field"),
        ({"Field": "Industry", "Operation": "contains", "Value": "x"}, "Operation"),
        ({"Field": "Industry", "Operation": ["equals"], "Value": "x"}, "Operation"),
        ({"Field": "Industry", "Operation": "lessThan", "Value": "x"}, "Operation"),
        ({"Field": "Industry", "Operation": "equals", "Value": "a,,b"}, "Value"),
        ({"Field": "Industry", "Operation": "equals", "Value": 'a,"b'}, "Value"),
        ({"Field": "Industry", "Operation": "startsWith", "Value": ""}, "Value"),
        ({"Field": "NumberOfEmployees", "Operation": "equals", "Value": "1,000"}, "Value"),
        ({"Field": "NumberOfEmployees", "Operation": "lessThan", "Value": "1,2"}, "Value"),
        ({"Field": "BillingState", "Operation": "equals", "Value": "Bavaria"}, "Value"),
        ({"Field": "Industry", "Operation": "equals", "Value": {"a": 1}}, "Value"),
        ({"Field": "Industry", "Operation": "equals", "Value": "\ud800"}, "Value"),
    ],
)
def test_an_item_that_cannot_be_kept_names_its_field(item, field):
    with pytest.raises(WrongRecord) as refused:
        read_item(item)
    assert refused.value.field == field
