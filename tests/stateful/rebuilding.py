"""A projection built anew by the product's own rebuild, in the middle of everything, and put in the place of the live one.

Coverages are the one of the projections played here that can be: of the others the product refuses it, and their
figures are recomputed instead.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest

from services.metrics.consumers import CONSUMERS
from shared.messaging.operations import rebuild as building
from shared.messaging.operations.answers import Answers
from shared.messaging.operations.desk import Desk
from shared.messaging.operations.projections import rebuild
from tests.stateful.stage import Stage
from tests.stateful.violation import require


async def rebuild_coverages(stage: Stage) -> None:
    """Have what was built equal what grew, at the offsets of the moment, and take its place. Raises Violation."""
    desk = Desk(
        service="metrics",
        settings=stage.installation.settings_for(stage.databases["metrics"]),
        consumers=CONSUMERS,
        engine=stage.engines["metrics"],
        clock=stage.clock,
        operator="machine",
        dry_run=False,
        answers=Answers(StringIO(), StringIO(), as_json=True),
    )
    with desk.answers.steps(0) as steps:
        rebuilt = await rebuild(
            desk,
            stage.installation.operators_log,
            steps,
            consumer="metrics.coverages",
            topic=None,
            accept_difference=False,
        )
    require(rebuilt.swapped, f"J: built anew, coverages differ: {rebuilt.comparison.rows()}")
    stage.installation.rebuilds += 1


@contextmanager
def logs_that_begin_late() -> Iterator[None]:
    """Have the product build from logs that were cut off: of what an example told, nothing was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "require_whole", lambda _subscription, _begins: None)
        yield
