"""What accounts wish that nobody can give them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unmet:
    """What accounts wish and nobody who covers one of the territories brings: they may go anywhere."""

    language: str | None
    industry: str | None
    needs: tuple[str, ...]
    accounts: int
