"""The upper part of the demo's tree: four Census regions and twelve areas of whole states."""

from collections.abc import Mapping

REGIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Northeast": {
        "New England": ("CT", "ME", "MA", "NH", "RI", "VT"),
        "Middle Atlantic": ("NJ", "NY", "PA"),
    },
    "Midwest": {
        "Lake Erie": ("MI", "OH"),
        "Lake Michigan": ("IL", "IN", "WI"),
        "Plains": ("IA", "KS", "MN", "MO", "NE", "ND", "SD"),
    },
    "South": {
        "Capital and Carolinas": ("DE", "DC", "MD", "NC", "SC", "VA", "WV"),
        "Georgia and Florida": ("FL", "GA"),
        "Tennessee Valley": ("AL", "KY", "MS", "TN"),
        "Texas and Gulf": ("AR", "LA", "OK", "TX"),
    },
    "West": {
        "California": ("CA",),
        "Mountain": ("AZ", "CO", "MT", "NM", "NV", "UT", "WY"),
        "Pacific Northwest": ("AK", "HI", "ID", "OR", "WA"),
    },
}

AREA_OF_STATE = {
    state: area for areas in REGIONS.values() for area, states in areas.items() for state in states
}
REGION_OF_AREA = {area: region for region, areas in REGIONS.items() for area in areas}


def share_out(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Share a whole number out by weight, largest remainder first; names break ties."""
    whole = sum(weights.values())
    shares = {name: total * weight // whole for name, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda name: (-(total * weights[name] % whole), name))
    for name in by_remainder[: total - sum(shares.values())]:
        shares[name] += 1
    return shares
