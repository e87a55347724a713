"""As what a picture is drawn. Apart from drawing, which loads much."""

from enum import StrEnum


class Form(StrEnum):
    """How a picture is written."""

    PNG = "png"
    SVG = "svg"
