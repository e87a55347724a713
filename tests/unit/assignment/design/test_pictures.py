"""Pictures: they are drawn, hold what they are asked to, and colours tell neighbours apart."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from scipy.spatial import Delaunay, cKDTree

from services.assignment.design.engine.geography import projected
from services.assignment.design.maps.cells import cells_of, dissolved
from services.assignment.design.maps.colours import PALETTE, colours_of
from services.assignment.design.maps.form import Form
from services.assignment.design.maps.lettering import plain, share
from services.assignment.design.maps.picture import Picture, Side
from services.assignment.design.maps.rendering import render


def a_picture(names, *, both=True, moved=40, units=400, title="Autumn"):
    territories = len(names)
    random = np.random.default_rng(1)
    latitude, longitude = random.uniform(48, 52, units), random.uniform(7, 14, units)
    xy, plane = projected(latitude, longitude)
    cells = cells_of(xy, plane)
    centres = random.uniform(-1, 1, (territories, 2)) * 200

    def side(heading, centres):
        labels = cKDTree(centres).query(xy)[1].astype(np.int32)
        deviation = np.bincount(labels, minlength=territories) / units * territories - 1
        return Side(heading=heading, territories=dissolved(cells, labels, territories), deviation=deviation)

    return Picture(
        title=title,
        figures=(f"{units} units",),
        measure="revenue",
        names=tuple(names),
        plane=plane,
        before=side("Before", centres) if both else None,
        after=side("After", centres + 20),
        moved_latitude=latitude[:moved],
        moved_longitude=longitude[:moved],
    )


def colours_in(png):
    """Return the colours of a picture, each as one number."""
    pixels = (imread(BytesIO(png))[:, :, :3] * 255).round().astype(np.int64)
    return set(np.unique(pixels @ [1 << 16, 1 << 8, 1]).tolist())


def test_a_png_shows_before_and_after_side_by_side_and_every_territory_in_both():
    picture = a_picture(["North", "East", "South", "West"])
    both = render(picture, Form.PNG)
    alone = render(a_picture(["North", "East", "South", "West"], both=False), Form.PNG)
    assert imread(BytesIO(both)).shape[1] > 1.8 * imread(BytesIO(alone)).shape[1]
    used = {int(colour[1:], 16) for colour in PALETTE}
    # The legend has each colour, too, but in squares of a few hundred dots.
    pixels = (imread(BytesIO(both))[:, :, :3] * 255).round().astype(np.int64) @ [1 << 16, 1 << 8, 1]
    half = pixels.shape[1] // 2
    for part in (pixels[:, :half], pixels[:, half:]):
        found, dots = np.unique(part, return_counts=True)
        assert sum(colour in used for colour in found[dots > 5_000].tolist()) == 4


def test_the_marks_of_moved_units_are_on_the_map_of_after():
    still, moved = (a_picture(["A", "B"], moved=count) for count in (0, 300))
    dark = [(imread(BytesIO(render(one, Form.PNG)))[:, :, :3].max(axis=2) < 0.1) for one in (still, moved)]
    half = dark[0].shape[1] // 2
    more = [int(one[:, :half].sum()) for one in dark], [int(one[:, half:].sum()) for one in dark]
    assert more[0][0] == more[0][1]
    assert more[1][1] > more[1][0] + 1_000


@pytest.mark.parametrize("form", Form)
def test_the_same_picture_is_the_same_file(form):
    picture = a_picture(["A", "B", "C"])
    assert render(picture, form) == render(picture, form)


def test_an_svg_is_well_formed_whatever_territories_are_called():
    names = ["$x^2", "北海道 < & >", "two\nlines\x00", "very " * 50, "\u202eright to left", ""]
    svg = render(a_picture(names, title="100 $ & more"), Form.SVG)
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) > 2 * len(names)


@pytest.mark.parametrize("form", Form)
def test_very_many_territories_and_none_at_all_are_drawn(form):
    many = a_picture([f"T{k}" for k in range(150)], units=3_000)
    assert len(render(many, form)) > 10_000
    empty = a_picture(["Vacant"], units=1, moved=0)
    nowhere = Side(
        heading="After",
        territories=np.array([shapely.MultiPolygon()], dtype=object),
        deviation=np.array([np.nan]),
    )
    bare = Picture(
        title="",
        figures=(),
        measure="",
        names=empty.names,
        plane=empty.plane,
        before=None,
        after=nowhere,
        moved_latitude=np.empty(0),
        moved_longitude=np.empty(0),
    )
    assert len(render(bare, form)) > 1_000


def test_pictures_drawn_at_once_are_those_drawn_one_by_one():
    pictures = [a_picture([f"T{k}" for k in range(count)]) for count in (3, 4, 5, 6)]
    alone = [colours_in(render(picture, Form.PNG)) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        at_once = [colours_in(png) for png in pool.map(lambda picture: render(picture, Form.PNG), pictures)]
    assert at_once == alone


@given(st.integers(0, 1_000), st.integers(4, 300))
def test_no_two_neighbours_on_a_map_have_one_colour(seed, count):
    triangles = Delaunay(np.random.default_rng(seed).normal(size=(count, 2))).simplices
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(
        np.int64
    )
    colours = colours_of(pairs, count)
    assert (colours[pairs[:, 0]] != colours[pairs[:, 1]]).all()
    # Six do for nearly every map; the last two are near others.
    assert colours.max() < 6


def test_more_mutual_neighbours_than_colours_clash_as_little_as_can_be():
    pairs = np.array([(a, b) for a in range(9) for b in range(a)])
    colours = colours_of(pairs, 9)
    assert sorted(np.bincount(colours, minlength=8).tolist()) == [1] * 7 + [2]
    assert len(colours_of(np.empty((0, 2), np.int64), 3)) == 3


def test_names_are_one_line_of_what_can_be_written():
    assert plain("  a\tb\nc ", 10) == "a b c"
    assert plain("Territory seventeen", 10) == "Territory\N{HORIZONTAL ELLIPSIS}"
    assert plain("東 Ост", 10) == "\N{WHITE SQUARE} Ост"
    assert share(0.0512) == "+5.1 %"
    assert share(-0.5) == "\N{MINUS SIGN}50.0 %"
    assert share(-0.0001) == "0.0 %"
    assert share(float("nan")) == "\N{EN DASH}"
