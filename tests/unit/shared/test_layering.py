"""Large handler calls, unbroken order."""

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.layering import layers

ITEMS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([1, 2, 3, 4, None])), max_size=60)


def by_key(items):
    found = defaultdict(list)
    for number, (kind, key) in items:
        if key is not None:
            found[key].append((number, kind))
    return found


@given(ITEMS)
def test_every_item_is_called_once_and_every_key_in_its_order(drawn):
    items = list(enumerate(drawn))
    calls = layers(items, kind_of=lambda i: i[1][0], key_of=lambda i: i[1][1])
    called = [item for _, batch in calls for item in batch]
    assert Counter(called) == Counter(items)
    assert by_key(called) == by_key(items)
    assert all(item[1][0] == kind for kind, batch in calls for item in batch)


@given(ITEMS)
def test_items_without_a_key_need_one_call_per_kind(drawn):
    calls = layers(drawn, kind_of=lambda i: i[0], key_of=lambda _: None)
    assert len(calls) == len({kind for kind, _ in drawn})


def test_two_kinds_over_many_keys_need_two_calls():
    items = [(kind, key) for key in range(100) for kind in "ab"]
    calls = layers(items, kind_of=lambda i: i[0], key_of=lambda i: i[1])
    assert [(kind, len(batch)) for kind, batch in calls] == [("a", 100), ("b", 100)]
