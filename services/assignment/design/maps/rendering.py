"""Maps to look at: before and after, side by side, as PNG or SVG.

Matplotlib's objects only: nothing global is touched by drawing, so that maps may be drawn in several threads.
"""

from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from services.assignment.design.engine.shapes import touching
from services.assignment.design.maps.colours import PALETTE, colours_of
from services.assignment.design.maps.form import Form
from services.assignment.design.maps.lettering import plain, share
from services.assignment.design.maps.panel import (
    INK,
    MOVED,
    Frame,
    draw_areas,
    draw_moved,
    draw_numbers,
    draw_scale,
    frame_of,
    in_plane,
    simplified,
)
from services.assignment.design.maps.picture import Picture, Side
from services.assignment.design.maps.sphere import Geometries

# Names within an SVG are made of this and what they name; without it they are random.
mpl.rcParams["svg.hashsalt"] = "bailiwick"

_DOTS_PER_INCH = 150
# Inches.
_MAP, _EDGE, _HEAD, _HEADING, _ROW = 7.4, 0.35, 0.95, 0.55, 0.19
_TALLEST, _FLATTEST = 9.0, 2.5
# Points are a 72nd of an inch.
_POINTS = 72
# With more territories than that a legend is longer than the map.
_IN_LEGEND, _OF_MANY, _FEW = 120, 60, 16


def render(picture: Picture, form: Form) -> bytes:
    """Return the picture as a file."""
    maps = [in_plane(side.territories, picture.plane) for side in picture.sides]
    colours = _colours(maps)
    frame = frame_of(np.concatenate(maps))
    # A third of a dot.
    maps = [simplified(areas, frame.width / (_MAP * _DOTS_PER_INCH * 3)) for areas in maps]
    figure = _Sheet(picture, frame)
    for at, (side, areas) in enumerate(zip(picture.sides, maps, strict=True)):
        figure.draw(at, side, areas, colours)
    figure.write_legend(colours)
    return figure.file(form)


def _colours(maps: list[Geometries]) -> list[str]:
    """Return a colour a territory, the same on all maps, and on none that of a neighbour."""
    pairs = []
    for areas in maps:
        adjacency = touching(list(areas))
        source = np.repeat(np.arange(len(areas)), np.diff(adjacency.starts))
        pairs.append(np.column_stack([source, adjacency.targets]))
    return [PALETTE[colour] for colour in colours_of(np.concatenate(pairs), len(maps[0]))]


class _Sheet:
    """The paper: a title, the maps below it, a legend at the foot."""

    def __init__(self, picture: Picture, frame: Frame) -> None:
        self._picture = picture
        self._frame = frame
        count = len(picture.sides)
        self._height = float(np.clip(_MAP * frame.height / frame.width, _FLATTEST, _TALLEST))
        self._width = count * _MAP + (count + 1) * _EDGE
        self._listed = _listed(picture)
        # Inches, and letters of a name.
        self._column = (3.6, 32) if len(self._listed) <= _FEW else (2.45, 14)
        columns = int((self._width - 2 * _EDGE) / self._column[0])
        self._rows = max(1, -(-len(self._listed) // columns))
        self._foot = _EDGE + (self._rows + 2) * _ROW
        self._tall = _HEAD + _HEADING + self._height + self._foot
        self._figure = Figure(figsize=(self._width, self._tall), dpi=_DOTS_PER_INCH, facecolor="white")
        self._write(_EDGE, 0.42, plain(picture.title, 110), size=16, weight="bold")
        self._write(_EDGE, 0.74, _joined(picture.figures), size=10.5)

    def draw(self, at: int, side: Side, areas: Geometries, colours: list[str]) -> None:
        """Draw a map: the first, or the second from the left."""
        left = _EDGE + at * (_MAP + _EDGE)
        self._write(left, _HEAD + 0.2, plain(side.heading, 60), size=12.5, weight="bold")
        self._write(left, _HEAD + 0.42, _joined(side.figures), size=9)
        axes = self._figure.add_axes(
            (left / self._width, self._foot / self._tall, _MAP / self._width, self._height / self._tall)
        )
        axes.set_axis_off()
        axes.set_aspect("equal")
        axes.set_xlim(self._frame.west, self._frame.east)
        axes.set_ylim(self._frame.south, self._frame.north)
        draw_areas(axes, areas, colours)
        per_km = _POINTS * min(_MAP / self._frame.width, self._height / self._frame.height)
        if side is self._picture.after:
            moved = self._picture.plane.to_plane(self._picture.moved_latitude, self._picture.moved_longitude)
            draw_moved(axes, moved)
        draw_numbers(axes, areas, per_km)
        draw_scale(axes, self._frame)

    def write_legend(self, colours: list[str]) -> None:
        """Say what marks and numbers mean, and how far each territory's load is off its target."""
        picture = self._picture
        top = self._tall - self._foot + 1.2 * _ROW
        arrow = " \N{RIGHTWARDS ARROW} "
        which = (
            ""
            if len(self._listed) == len(picture.names)
            else f", the {len(self._listed)} that are furthest off"
        )
        sides = arrow.join(plain(side.heading, 30).lower() for side in picture.sides)
        text = f"Deviation of {plain(picture.measure, 40)} from target, {sides}{which}"
        self._write(_EDGE, top, text, size=8.5, weight="bold")
        if moved := len(picture.moved_latitude):
            right = self._width - _EDGE
            self._symbol(right - 2.2, top, marker="o", size=4, colour=MOVED)
            self._write(right - 2.1, top, f"account that moves ({moved:,})", size=8.5)
        width, longest = self._column
        for at, territory in enumerate(self._listed):
            column, row = divmod(at, self._rows)
            x, y = _EDGE + column * width, top + (row + 1.25) * _ROW
            self._symbol(x + 0.07, y, marker="s", size=8, colour=colours[territory])
            figures = arrow.join(share(float(side.deviation[territory])) for side in picture.sides)
            self._write(x + 0.2, y, f"{territory + 1}  {plain(picture.names[territory], longest)}", size=7)
            self._write(x + width - 0.12, y, figures, size=7, right=True)

    def file(self, form: Form) -> bytes:
        """Return the sheet as a file."""
        out = BytesIO()
        canvas: Any = FigureCanvasAgg(self._figure) if form is Form.PNG else FigureCanvasSVG(self._figure)
        if form is Form.PNG:
            canvas.print_png(out)
        else:
            canvas.print_svg(out, metadata={"Date": None})
        return out.getvalue()

    def _write(
        self, x: float, down: float, text: str, *, size: float, weight: str = "normal", right: bool = False
    ) -> None:
        """Write text at so many inches from the left and from the top."""
        self._figure.text(
            x / self._width,
            1 - down / self._tall,
            text,
            size=size,
            weight=weight,
            color=INK,
            ha="right" if right else "left",
            va="center",
            parse_math=False,
        )

    def _symbol(self, x: float, down: float, *, marker: str, size: float, colour: str) -> None:
        self._figure.add_artist(
            Line2D(
                [x / self._width],
                [1 - down / self._tall],
                marker=marker,
                markersize=size,
                color=colour,
                transform=self._figure.transFigure,
            )
        )


def _listed(picture: Picture) -> list[int]:
    """Return the territories of the legend: all, or of very many those whose load is furthest off in the end."""
    count = len(picture.names)
    if count <= _IN_LEGEND:
        return list(range(count))
    off = np.nan_to_num(np.abs(picture.after.deviation), nan=-1.0)
    return sorted(np.argsort(-off, kind="stable")[:_OF_MANY].tolist())


def _joined(figures: tuple[str, ...]) -> str:
    return " \N{MIDDLE DOT} ".join(plain(figure, 80) for figure in figures)
