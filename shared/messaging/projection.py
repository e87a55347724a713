"""What a subscription's effects are: tables that can be built anew from the topic alone, or more than that. Pure.

Every subscription of a service declares it, so an operator is told beforehand what a rebuild can do and what not.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Projection:
    """Tables that hold what the topic tells and nothing else.

    The subscription's handlers are the only writers of the tables, read no others, announce no events and look at
    no clock: reading the topic again from its beginning gives the same rows.
    """

    tables: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.tables:
            raise ValueError("tables: a projection keeps at least one; name them, or declare it Entangled.")


@dataclass(frozen=True, slots=True)
class Entangled:
    """Effects that cannot be told again from the topic alone; `why` is a sentence for operators, with the way out."""

    why: str


UNDECLARED = Entangled("Its subscription does not say what it keeps.")
