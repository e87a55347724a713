"""Plain weighted k-means of scikit-learn, best of five: heeds no balance, so nobody who does can reach its travel."""

from typing import Any

import numpy as np
from sklearn.cluster import KMeans

from tests.bench.design.geography import Integers
from tests.bench.design.instances import Instance


def solve(instance: Instance, territories: int) -> tuple[Integers, dict[str, Any]]:
    """Return labels."""
    found = KMeans(territories, n_init=5, random_state=0, max_iter=300).fit(
        instance.xy, sample_weight=instance.weight
    )
    return found.labels_.astype(np.int64), {}
