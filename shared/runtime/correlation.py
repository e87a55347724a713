"""The ids that tie a request to its events and their effects, carried in context variables."""

import secrets
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Correlation:
    """What travels from a request into the headers of the events it causes."""

    correlation_id: str
    traceparent: str
    causation_id: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the CloudEvents extension attributes, without the `ce_` prefix."""
        found = {"correlationid": self.correlation_id, "traceparent": self.traceparent}
        if self.causation_id is not None:
            found["causationid"] = self.causation_id
        return found


_current: ContextVar[Correlation | None] = ContextVar("correlation", default=None)


def new_traceparent() -> str:
    """Return a fresh W3C trace context header (https://www.w3.org/TR/trace-context/), not sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"


def new_correlation() -> Correlation:
    """Start a chain that nobody outside began."""
    return Correlation(correlation_id=secrets.token_hex(16), traceparent=new_traceparent())


def current_correlation() -> Correlation:
    """Return the chain this task belongs to, or a new one."""
    return _current.get() or new_correlation()


def bind_correlation(correlation: Correlation) -> None:
    """Make this task, and those it starts, part of the chain."""
    _current.set(correlation)
