"""Exports: which picture is meant, what measures are called, and faults of drawing are no answers."""

from uuid import UUID

import numpy as np
import pytest

from services.assignment.design.exports.accepting import form_accepted
from services.assignment.design.exports.design_map import DesignMap, When, measure_names
from services.assignment.design.exports.own_process import DrawingFailedError, drawn
from services.assignment.design.maps.form import Form
from services.assignment.design.runs.run import BalancedMeasure, DesignMeasure
from shared.http.etags import is_unchanged


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
        before=np.array([0], np.int32),
        after=np.array([0], np.int32),
        loads_before=np.ones((1, 1)),
        loads_after=np.ones((1, 1)),
        targets=np.ones((1, 1)),
    )
    with pytest.raises(DrawingFailedError, match="A latitude is a number from -90 to 90"):
        await drawn(nowhere, When.AFTER)
