"""An api of a service that announces nothing: what is left of a write when its outbox rows are taken away.

python -m tests.bench.without_outbox SERVICE
"""

import sys
from importlib import import_module
from typing import Any

from shared.db.outbox import Outbox
from shared.http.bootstrap import serve


async def drop(self: Outbox, _connection: Any) -> None:
    """Forget what was announced: it was built and validated, and is not written."""
    self._pending.clear()
    self._states.clear()


if __name__ == "__main__":
    service = sys.argv[1]
    Outbox.flush = drop  # type: ignore[method-assign, assignment]
    settings = import_module(f"services.{service}.settings").Settings()
    serve(import_module(f"services.{service}.bootstrap").build_app(settings), settings)
