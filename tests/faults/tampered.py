"""python -m tests.faults.tampered NAME[,NAME...] services.metrics consumer: a service with something changed.

The product has no fail points of its own: what is needed is put around its functions here, before its own
`__main__` runs. Most tamperings wait to be armed by a file in $TAMPERING_FOLDER, so a fault chooses the moment.
"""

import runpy
import sys
from collections.abc import Callable, Mapping

from tests.faults.tampering import fail_points, mutants, witness

TAMPERINGS: Mapping[str, Callable[[], None]] = {
    "witness": witness.install,
    "kill-before-delete": fail_points.kill_before_delete,
    "kill-before-commit": fail_points.kill_before_commit,
    "kill-after-commit": fail_points.kill_after_commit,
    "block-loop": fail_points.block_loop,
    "slow-handler": fail_points.slow_handler,
    "failing-handler": fail_points.failing_handler,
    "shifted-clock": fail_points.shifted_clock,
    "another-group": fail_points.another_group,
    "no-row-lock": mutants.no_row_lock,
    "no-version-test": mutants.no_version_test,
    "delete-before-ack": mutants.delete_before_ack,
    "no-bucket-lease": mutants.no_bucket_lease,
}


def main() -> None:
    """Change what is named, then be the service."""
    names, module, *arguments = sys.argv[1:]
    for name in names.split(","):
        TAMPERINGS[name]()
    sys.argv = [module, *arguments]
    runpy.run_module(f"{module}.__main__", run_name="__main__", alter_sys=False)


if __name__ == "__main__":
    main()
