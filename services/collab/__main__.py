"""python -m services.collab api|relay|consumer|migrate|dlq: one process, one role."""

import sys

from services.collab.consumers import CONSUMERS
from services.collab.settings import SERVICE, Settings
from shared.messaging.command_line import run_service


def api(settings: Settings) -> None:
    """Answer HTTP."""
    # Half a second of web framework that no other role has a use for.
    from services.collab.bootstrap import build_app  # noqa: PLC0415
    from shared.http.bootstrap import serve  # noqa: PLC0415

    serve(build_app(settings), settings)


if __name__ == "__main__":
    run_service(
        sys.argv[1:], service=SERVICE, read_settings=Settings, consumers=CONSUMERS, roles={"api": api}
    )
