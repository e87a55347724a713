"""The promise in one test. Takes minutes, so it runs with the faults: pytest -o addopts= tests/faults."""

import os

import pytest

from tests.faults.facts.scenario import run_scenario
from tests.faults.facts.stage import set_up

FACTS = int(os.environ.get("FACTS", "200000"))


@pytest.mark.timeout(900)
def test_what_was_acknowledged_is_counted_once_to_the_cent_whatever_was_killed():
    with set_up() as stage:
        result = run_scenario(stage, facts=FACTS)
    assert result.verdict == "ok"
    assert result.acked == FACTS
    assert result.unknown == 0
