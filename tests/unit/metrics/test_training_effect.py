"""Before and after a certificate: which months, which reps, whose sums."""

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.training.effect import effects_of, shift

ANN, BEN, CEM, DAN = (UUID(int=number) for number in range(1, 5))
MARCH = date(2026, 3, 1)


def monthly(
    told: dict[UUID, dict[int, int]],
) -> dict[tuple[UUID | None, date | None], dict[str, dict[str, int]]]:
    """Return orders by rep and month of 2026."""
    return {
        (rep, date(2026, month, 1)): {"USD": {"orders": orders}}
        for rep, months in told.items()
        for month, orders in months.items()
    }


def test_a_cohort_is_set_beside_those_who_were_not_certified_by_then() -> None:
    """Ann and Ben are certified in March, Cem in April (still without it in no month after), Dan never.

    Two months each side: January and February against April and May. Cem is certified before the end of May, so he
    is neither of the March cohort nor of the others.
    """
    sums = monthly(
        {
            ANN: {1: 1, 2: 2, 3: 100, 4: 5, 5: 6},
            BEN: {2: 3, 5: 4},
            CEM: {1: 50, 2: 50, 4: 50, 5: 50},
            DAN: {1: 7, 2: 7, 4: 8, 5: 9, 6: 1000},
        }
    )
    certified = {ANN: date(2026, 3, 31), BEN: date(2026, 3, 1), CEM: date(2026, 4, 2)}
    march, april = effects_of(
        certified, sums, months=2, first=date(2026, 1, 1), end=date(2026, 7, 1), today=date(2026, 6, 1)
    )
    assert (march.month, march.cohort.reps, march.others.reps) == (MARCH, 2, 1)
    assert march.cohort.before == {"USD": {"orders": 6}}
    assert march.cohort.after == {"USD": {"orders": 15}}
    assert (march.others.before, march.others.after) == ({"USD": {"orders": 14}}, {"USD": {"orders": 17}})
    assert (march.complete, april.complete) == (True, False)
    assert april.cohort.reps == 1


def test_who_sold_nothing_is_counted_and_adds_nothing() -> None:
    (effect,) = effects_of(
        {ANN: MARCH}, {}, months=1, first=MARCH, end=shift(MARCH, 1), today=date(2026, 12, 1)
    )
    assert (effect.cohort.reps, effect.cohort.before, effect.others.reps) == (1, {}, 0)


def test_months_go_over_the_new_year() -> None:
    assert [shift(date(2026, 1, 1), months) for months in (-13, -1, 0, 12)] == [
        date(2024, 12, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2027, 1, 1),
    ]


REPS = st.sampled_from([ANN, BEN, CEM, DAN])
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


@given(
    st.dictionaries(REPS, DAYS),
    st.dictionaries(REPS, st.dictionaries(st.integers(1, 12), st.integers(0, 50))),
    st.integers(1, 6),
)
def test_each_rep_is_in_one_cohort_and_never_among_its_others(
    certified: dict[UUID, date], told: dict[UUID, dict[int, int]], months: int
) -> None:
    found = effects_of(
        certified,
        monthly(told),
        months=months,
        first=date(2026, 1, 1),
        end=date(2027, 1, 1),
        today=date(2026, 12, 1) + timedelta(days=1),
    )
    assert sum(effect.cohort.reps for effect in found) == len(certified)
    for effect in found:
        assert effect.cohort.reps + effect.others.reps <= 4
        assert effect.complete == (shift(effect.month, months + 1) <= date(2026, 12, 2))
