"""One thread and two give the same bits, in processes of their own."""

import os
import subprocess
import sys

# Large enough that kernels run in parts; prints a digest of all that is answered.
PROGRAM = """
import hashlib
import numpy as np
from services.assignment.design.engine.compiling import threads
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Effort, Problem
from services.assignment.design.engine.solving import propose
random = np.random.default_rng(0)
n, k = 48_000, 12
xy = random.normal(0, 30, (n, 2))
problem = Problem(
    xy=xy, weight=random.uniform(0.5, 1.5, n), measures=random.lognormal(0, 0.5, (n, 2)),
    targets=random.uniform(0.7, 1.3, (k, 1)) * np.ones((k, 2)), tolerance=np.array([0.05, 0.1]),
    adjacency=neighbours(xy), incumbents=(np.arange(n) % k).astype(np.int32),
)
digest = hashlib.sha256()
for effort in (Effort(starts=1, rounds=4), Effort(starts=1, rounds=4, seed=1)):
    found = propose(problem, effort)
    assert found.feasible, found.why
    for array in (found.labels, found.centres, found.loads, found.reasons, found.deviation):
        digest.update(array.tobytes())
    digest.update(repr((found.cost, found.bound, found.binding, found.input_hash)).encode())
print(threads(), digest.hexdigest())
"""


def answers(threads: int) -> list[str]:
    environment = os.environ | {"NUMBA_NUM_THREADS": str(threads)}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


def test_one_thread_and_two_give_the_same_bits():
    one, two = answers(1), answers(2)
    assert [one[0], two[0]] == ["1", "2"]
    assert one[1] == two[1]
