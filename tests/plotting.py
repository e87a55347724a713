"""Line charts as SVG files that a repository can hold: the same numbers give the same bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

SIZE_INCHES = (8.0, 4.5)

# Text stays text, so that a browser can search it; ids come from the salt and not from a random number.
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bailiwick",
    "font.family": ["sans-serif"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}


def line_chart(
    path: Path,
    title: str,
    x_label: str,
    y_label: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    log_x: bool = False,
    log_y: bool = False,
) -> None:
    """Draw one line per series, named by its key, through its (x, y) points, and write it to `path`.

    Series of up to thirty points show each point. A linear y axis starts at zero, so that a flat line looks
    flat; a logarithmic axis takes only points above zero. Missing folders are made. ValueError where there is
    nothing to draw.
    """
    drawn = {name: points for name, points in series.items() if points}
    if not drawn:
        raise ValueError(f"{path.name}: no series holds a point; give at least one (x, y) pair")
    with rc_context(STYLE):
        figure = Figure(figsize=SIZE_INCHES, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot(title=title, xlabel=x_label, ylabel=y_label)
        for name, points in drawn.items():
            axes.plot(*zip(*points, strict=True), label=name, marker="o" if len(points) <= 30 else None)
        axes.set_xscale("log" if log_x else "linear")
        axes.set_yscale("log" if log_y else "linear")
        # After the scales, which bring formatters of their own.
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        if not log_y and all(y >= 0 for points in drawn.values() for _, y in points):
            axes.set_ylim(bottom=0)
        if len(drawn) > 1:
            axes.legend(frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        # A date would make every drawing a change.
        figure.savefig(path, format="svg", metadata={"Date": None})
