"""python -m services.assignment api|worker|relay|consumer|migrate|events: one process, one role."""

import sys

from services.assignment.accounts.states import ACCOUNT_STATE
from services.assignment.consumers import CONSUMERS
from services.assignment.design.queue_session import QueueSession
from services.assignment.settings import SERVICE, Settings
from services.assignment.worker import work
from shared.contracts.envelope import event_source
from shared.db.transact import Transactor
from shared.messaging.command_line import run_service
from shared.messaging.run import run_worker
from shared.runtime.clock import SystemClock


def api(settings: Settings) -> None:
    """Answer HTTP."""
    # Half a second of web framework that no other role has a use for.
    from services.assignment.bootstrap import build_app  # noqa: PLC0415
    from services.assignment.design.exports.own_process import warm_up  # noqa: PLC0415
    from shared.http.bootstrap import serve  # noqa: PLC0415

    serve(build_app(settings), settings, beside=warm_up)


def worker(settings: Settings) -> None:
    """Let accounts go when the pins that hold them run out, make potential estimates and design runs, announce older reps."""
    source = event_source(settings.organisation, SERVICE)
    queue = QueueSession()
    run_worker(
        settings,
        SERVICE,
        lambda engine, stopping: work(Transactor(engine, SystemClock(), source), stopping, queue),
        ready={"design-queue": queue.check},
    )


if __name__ == "__main__":
    run_service(
        sys.argv[1:],
        service=SERVICE,
        read_settings=Settings,
        consumers=CONSUMERS,
        roles={"api": api, "worker": worker},
        states=[ACCOUNT_STATE],
    )
