"""Into which statements a recount is cut."""

import itertools
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.reconciliations.spans import cut_into_spans
from services.metrics.rollups.queries import END_DAY, FIRST_DAY

MOST = 10
days = st.dates(min_value=date(1990, 1, 1), max_value=date(2050, 1, 1))


@given(st.dictionaries(days, st.integers(1, 15)))
def test_spans_cover_all_time_and_hold_no_more_than_fits(counts):
    spans = cut_into_spans(sorted(counts.items()), most=MOST)
    assert (spans[0][0], spans[-1][1]) == (FIRST_DAY, END_DAY)
    assert all(left[1] == right[0] for left, right in itertools.pairwise(spans))
    for first, end in spans:
        held = [facts for day, facts in counts.items() if first <= day < end]
        assert sum(held) <= MOST or len(held) == 1


def test_days_are_put_together_until_a_span_is_full():
    per_day = [(date(2026, 1, day), facts) for day, facts in ((1, 4), (2, 6), (3, 1), (5, 20), (6, 1))]
    begins = [first for first, _ in cut_into_spans(per_day, most=MOST)]
    assert begins == [FIRST_DAY, date(2026, 1, 3), date(2026, 1, 5), date(2026, 1, 6)]
