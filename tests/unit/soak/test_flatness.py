"""The verdict on a soak turns red for each thing that grows, and stays green for what settles or jumps about."""

from collections.abc import Sequence
from random import Random

import pytest

from tests.soak.flatness import find_growth, trend

SECONDS = [10.0 * n for n in range(360)]
FLAT = {
    "memory": {"metrics.api": [100.0] * 360},
    "files": {"metrics.api": [30.0] * 360},
    "sessions": [44.0] * 360,
    "lag": [3.0] * 360,
    "outbox_age": [0.1] * 360,
}


def rising(by_the_hour: float, *, start: float = 100.0) -> Sequence[float]:
    """Return a series that rises steadily."""
    return [start + by_the_hour * at / 3600 for at in SECONDS]


def test_a_flat_run_is_flat():
    assert find_growth(SECONDS, **FLAT) == []


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("memory", {"metrics.api": rising(20)}, "metrics.api grows by 20.0 MB an hour"),
        ("files", {"metrics.api": rising(20, start=30)}, "metrics.api holds"),
        ("sessions", rising(20, start=44), "database sessions"),
        ("lag", rising(500, start=0), "lag"),
        ("outbox_age", rising(60, start=0), "the oldest event waits"),
    ],
)
def test_what_grows_is_told(name, values, words):
    (told,) = find_growth(SECONDS, **{**FLAT, name: values})
    assert words in told


def test_what_settles_in_the_first_quarter_does_not_count():
    settled = [60.0 + min(at, 800) / 20 for at in SECONDS]
    assert find_growth(SECONDS, **{**FLAT, "memory": {"metrics.api": settled}}) == []


def test_a_few_wild_samples_do_not_move_the_slope():
    rng = Random(1)
    values = [at + rng.gauss(0, 1) for at in rising(6)]
    for place in rng.sample(range(360), 30):
        values[place] = 1000.0
    assert trend(SECONDS, values).per_hour == pytest.approx(6, abs=1.5)
