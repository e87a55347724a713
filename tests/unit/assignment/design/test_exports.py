"""Exports: which picture is meant, what measures are called, and faults of drawing are no answers."""

import asyncio
import subprocess
import sys
from uuid import UUID

import numpy as np
import pytest
from structlog.testing import capture_logs

from services.assignment.design.exports.accepting import form_accepted
from services.assignment.design.exports.design_map import DesignMap, When, measure_names
from services.assignment.design.exports.own_process import drawn, warm_up
from services.assignment.design.maps.form import Form
from services.assignment.design.runs.run import BalancedMeasure, DesignMeasure
from shared.http.etags import is_unchanged
from shared.runtime.own_process import FaultInOwnProcess


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, Form.PNG),
        ("*/*", Form.PNG),
        ("image/*", Form.PNG),
        ("text/html", Form.PNG),
        ("image/svg+xml", Form.SVG),
        ("IMAGE/SVG+XML ; q=0.4, image/png;q=0.3", Form.SVG),
        ("image/svg+xml;q=0.4, */*", Form.PNG),
        ("image/*, image/png;q=0", Form.SVG),
        ("image/svg+xml;q=much, image/png;q=0.1", Form.PNG),
        (",;,", Form.PNG),
    ],
)
def test_the_picture_that_is_liked_best_is_drawn(accept, form):
    assert form_accepted(accept) is form


def test_measures_have_names_of_their_own():
    one, other = UUID(int=1), UUID(int=2)
    measures = [
        BalancedMeasure(DesignMeasure.ACCOUNTS, 0.1),
        BalancedMeasure(DesignMeasure.REVENUE, 0.1, currency="EUR"),
        BalancedMeasure(DesignMeasure.REVENUE, 0.1, currency="USD"),
        BalancedMeasure(DesignMeasure.POTENTIAL, 0.1, potential_estimate_id=one),
    ]
    names = measure_names(measures)
    assert names == ("accounts", "revenue EUR", "revenue USD", "potential")
    both = [*measures, BalancedMeasure(DesignMeasure.POTENTIAL, 0.1, potential_estimate_id=other)]
    assert measure_names(both) == (*names[:3], f"potential {one}", f"potential {other}")


# Draws the small maps, then one that is unlike them, and says what that had compiled.
_COMPILED_ANEW = """
import sys
import numpy as np
from numba.core.dispatcher import Dispatcher
from uuid import UUID
from services.assignment.design.exports.design_map import DesignMap, When
from services.assignment.design.exports.drawing import draw
from services.assignment.design.exports.warming import draw_each
from services.assignment.design.maps.form import Form

def compiled():
    return {
        (module.__name__, name, str(signature))
        for module in list(sys.modules.values()) if module.__name__.startswith("services.assignment.design")
        for name, value in vars(module).items() if isinstance(value, Dispatcher)
        for signature in value.signatures
    }

draw_each()
before = compiled()
dice, count = np.random.default_rng(5), 9
labels = dice.integers(0, count - 1, 700).astype(np.int32)
drawn = DesignMap(
    run_id=UUID(int=1), title="Other", territory_ids=tuple(map(lambda n: UUID(int=n), range(count))),
    names=tuple(map(str, range(count))), measures=("accounts", "employees"),
    latitude=dice.uniform(-60, 60, 700), longitude=dice.uniform(-170, 170, 700), road=np.ones(700), before=labels, after=labels[::-1].copy(),
    loads_before=np.ones((count, 2)), loads_after=np.ones((count, 2)), targets=np.ones((count, 2)),
)
for wanted in (*When, *Form):
    draw(drawn, wanted)
print(len(before), sorted(compiled() - before))
"""


def test_what_is_drawn_beforehand_has_compiled_all_that_other_maps_need():
    """An api has it drawn when it starts, so that nobody's first map waits for the compiler."""
    run = subprocess.run([sys.executable, "-c", _COMPILED_ANEW], capture_output=True, text=True, check=True)
    number, _, anew = run.stdout.strip().partition(" ")
    assert int(number) > 10
    assert anew == "[]"


async def test_it_is_drawn_beside_the_api_and_the_log_tells_when_maps_are_ready():
    with capture_logs() as logs:
        await warm_up(asyncio.Event())
    assert [line["event"] for line in logs] == ["maps ready"]


async def test_an_api_that_is_told_to_stop_does_not_wait_for_it():
    stopping = asyncio.Event()
    stopping.set()
    with capture_logs() as logs:
        await warm_up(stopping)
    assert logs == []


@pytest.mark.parametrize(
    ("header", "unchanged"),
    [
        (None, False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ('"b"', False),
        ("*", True),
        ("", False),
    ],
)
def test_who_has_what_the_tag_names_has_it_unchanged(header, unchanged):
    assert is_unchanged(header, '"a"') is unchanged


async def test_a_fault_of_drawing_is_raised_with_its_trace():
    nowhere = DesignMap(
        run_id=UUID(int=1),
        title="Beyond the pole",
        territory_ids=(UUID(int=2),),
        names=("North",),
        measures=("accounts",),
        latitude=np.array([95.0]),
        longitude=np.array([0.0]),
        road=np.ones(1),
        before=np.array([0], np.int32),
        after=np.array([0], np.int32),
        loads_before=np.ones((1, 1)),
        loads_after=np.ones((1, 1)),
        targets=np.ones((1, 1)),
    )
    with pytest.raises(FaultInOwnProcess, match="A latitude is a number from -90 to 90"):
        await drawn(nowhere, When.AFTER)
