"""Names as they can be written on a map: people call territories what they like."""

from functools import cache
from math import isfinite
from typing import Any

from matplotlib.font_manager import FontProperties, findfont, get_font

_MISSING = "\N{WHITE SQUARE}"


def plain(text: str, longest: int) -> str:
    """Return text on one line, no longer than so many characters, with a square for what the font cannot write."""
    known = _characters()
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = "".join(c if ord(c) in known else _MISSING for c in line)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def share(value: float) -> str:
    """Return a share as percent with a sign, which nought has not; a dash for none."""
    if not isfinite(value):
        return "\N{EN DASH}"
    percent = round(100 * value, 1)
    return f"{percent:+.1f} %".replace("-", "\N{MINUS SIGN}") if percent else "0.0 %"


@cache
def _characters() -> frozenset[int]:
    """Return what the font that comes with Matplotlib can write."""
    font: Any = get_font(findfont(FontProperties(family="DejaVu Sans")))
    return frozenset(font.get_charmap())
