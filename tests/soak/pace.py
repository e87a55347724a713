"""Whether the load that was asked for was there, to its end: a soak that sends little proves little. Pure."""

from collections.abc import Iterable, Mapping

# Of what was asked for, so much has to be sent.
SENT_SHARE = 0.9
# Streams are told something every few seconds, and wait 45 s at most; the slowest of the others acts every few.
SILENT_SECONDS = 60.0


def find_shortfall(asked: Mapping[str, float], sent: Mapping[str, int], *, seconds: float) -> list[str]:
    """Return what was sent less often than nine times in ten; `asked` is by the second."""
    return [
        f"{name}: {sent.get(name, 0) / seconds:.2f} a second of {rate:g}"
        for name, rate in asked.items()
        if sent.get(name, 0) < SENT_SHARE * rate * seconds
    ]


def find_silent(told_at: Mapping[str, float], names: Iterable[str], *, now: float) -> list[str]:
    """Return the threads that were never answered, or not in the last minute; times in seconds on one clock."""
    return [
        f"{name} was last answered {now - told_at[name]:.0f} s ago"
        if name in told_at
        else f"{name} never was"
        for name in names
        if now - told_at.get(name, float("-inf")) > SILENT_SECONDS
    ]
