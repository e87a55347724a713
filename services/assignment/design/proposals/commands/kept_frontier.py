"""A frontier as it is kept with its proposal."""

import math

from services.assignment.design.engine.reachable import Asked, Frontier
from services.assignment.design.proposals.frontier import FRONTIER, KeptBinding, KeptFrontier, KeptPoint


def as_kept(found: Frontier | None) -> str | None:
    """Return a frontier as it is kept."""
    if found is None:
        return None
    binding = found.binding_measure
    points = [
        KeptPoint(one.deviation.tolist(), one.mean_km, one.whole, _asked(one.asked)) for one in found.points
    ]
    one = None
    if binding is not None:
        one = KeptBinding(
            measure=binding.measure,
            freed_from=binding.freed_from,
            freed_to=binding.freed_to,
            others_from=binding.others_from,
            others_to=binding.others_to,
            mean_km=binding.mean_km,
        )
    return FRONTIER.dump_json(KeptFrontier(points, one)).decode()


def _asked(asked: Asked | None) -> list[tuple[float | None, bool]] | None:
    if asked is None:
        return None
    return [
        (tolerance if math.isfinite(tolerance) else None, soft)
        for tolerance, soft in zip(asked.tolerance.tolist(), asked.soft.tolist(), strict=True)
    ]
