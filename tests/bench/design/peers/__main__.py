"""python -m tests.bench.design.peers PEER INSTANCE.npz TERRITORIES OPTIONS OUT.npz: one peer, in a process of its own.

Runs in the virtual environment of the dependency group `peers`. All use one thread.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

from tests.bench.design.instances import load
from tests.bench.design.measured import Clock, report


def main(peer: str, instance: Path, territories: int, options: str, out: Path) -> None:
    """Import and read first: neither is the peer's work."""
    solve = import_module(f"tests.bench.design.peers.{peer}").solve
    units = load(instance)
    chosen = json.loads(options)
    clock = Clock()
    labels, note = solve(units, territories, **chosen)
    report(out, clock.cost(**note), labels)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], Path(sys.argv[5]))
