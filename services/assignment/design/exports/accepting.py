"""Which picture an Accept header asks for (RFC 9110, 12.5.1). Pure."""

from services.assignment.design.maps.form import Form

# From the least to the most that a range says about a type.
_RANGES = {
    Form.PNG: ("*/*", "image/*", "image/png"),
    Form.SVG: ("*/*", "image/*", "image/svg+xml"),
}


def form_accepted(accept: str | None) -> Form:
    """Return the form that is liked best; PNG among equals, and where neither is."""
    weights = _weights(accept or "")
    return Form.SVG if _weight(weights, Form.SVG) > _weight(weights, Form.PNG) else Form.PNG


def _weight(weights: dict[str, float], form: Form) -> float:
    told = [weights[one] for one in _RANGES[form] if one in weights]
    return told[-1] if told else 0.0


def _weights(accept: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in accept.split(","):
        media_range, *parameters = (one.strip().lower() for one in part.split(";"))
        weights[media_range] = next((_number(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
    return weights


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
