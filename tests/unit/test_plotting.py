from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.plotting import line_chart

GROWTH = {"ingest": [(10_000.0, 9.0), (1_000_000.0, 8.0)], "query": [(10_000.0, 1.0), (1_000_000.0, 2.0)]}


def draw(path: Path, series: dict[str, list[tuple[float, float]]] = GROWTH, *, log_x: bool = True) -> bytes:
    line_chart(path, "Growth", "facts", "thousand facts per second", series, log_x=log_x)
    return path.read_bytes()


def test_a_chart_is_an_svg_that_names_its_axes_and_series_as_text(tmp_path: Path) -> None:
    drawn = ET.fromstring(draw(tmp_path / "img" / "growth.svg"))

    words = {"".join(text.itertext()).strip() for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert {"Growth", "facts", "thousand facts per second", "ingest", "query", "1M"} <= words


def test_the_same_numbers_give_the_same_bytes(tmp_path: Path) -> None:
    assert draw(tmp_path / "one.svg") == draw(tmp_path / "two.svg")


def test_a_series_without_points_is_left_out(tmp_path: Path) -> None:
    assert b"nothing yet" not in draw(tmp_path / "growth.svg", GROWTH | {"nothing yet": []})


def test_nothing_to_draw_is_an_error_that_names_the_chart(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"growth\.svg: no series holds a point"):
        draw(tmp_path / "growth.svg", {"ingest": []})
