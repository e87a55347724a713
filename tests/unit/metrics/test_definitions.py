"""A metric that means something else is another version: what each version means is written down here."""

from hashlib import blake2b

from services.metrics.definitions.catalogue import CATALOGUE
from services.metrics.rollups.figure import FIGURES

COMPUTED = {"lagged_spend_minor", "lagged_paid_spend_minor", "converted", "quota_minor"}
MEANT = {
    "revenue@1": "f0576bb6",
    "refunds@1": "13d6d4aa",
    "net-revenue@1": "02ea7fab",
    "bookings@1": "d11d5973",
    "spend@1": "7f28b6e6",
    "orders@1": "8295d368",
    "deals@1": "6ee9e8cc",
    "leads@1": "7a3dddfc",
    "won@1": "5769e28b",
    "lost@1": "366267c8",
    "new-customers@1": "5826c744",
    "pipeline@1": "cb2d2776",
    "cac@1": "ba093a6d",
    "paid-cac@1": "f833271c",
    "conversion@1": "9fcb179a",
    "attainment@1": "077b1c2c",
    "win-rate@1": "d03051b2",
    "win-rate-by-value@1": "1b8d96fa",
}


def test_no_definition_changes_without_a_new_version():
    meant = {
        f"{one.metric_id}@{one.version}": blake2b(
            repr((one.formula, dict(one.numerator), dict(one.denominator), one.when_empty)).encode(),
            digest_size=4,
        ).hexdigest()
        for one in CATALOGUE.values()
    }
    assert meant == MEANT


def test_definitions_are_made_of_figures_that_are_kept():
    for definition in CATALOGUE.values():
        assert definition.figures <= {*FIGURES, *COMPUTED}
        assert bool(definition.denominator) == (definition.when_empty is not None)
        assert (definition.additivity == "ratio_of_sums") == bool(definition.denominator)
