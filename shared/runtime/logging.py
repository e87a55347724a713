"""Structured logs: JSON lines in containers, coloured lines on a laptop; never bodies, never tokens."""

import logging
import sys
from typing import Literal

import structlog

from shared.runtime.quieting import OnceInAWhile

Log = structlog.stdlib.BoundLogger


def configure_logging(*, service: str, role: str, form: Literal["console", "json"], level: str) -> None:
    """Send every log line of this process, ours and the libraries', to stderr in one form."""
    shared_steps: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared_steps,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(OnceInAWhile("aiokafka"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # What libraries tell of their ordinary lives would bury our own lines; uvicorn's access log repeats
    # what our middleware measures.
    for library in ("aiokafka", "alembic", "uvicorn", "uvicorn.access"):
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared_steps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, role=role)


def get_logger(name: str) -> Log:
    """Return a logger whose events are short nouns with fields."""
    logger: Log = structlog.stdlib.get_logger(name)
    return logger
