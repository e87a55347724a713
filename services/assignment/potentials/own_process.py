"""Training in a process of its own: it holds up nobody's event loop, gives its memory back, and can be ended at once."""

from collections.abc import Sequence

from services.assignment.potentials.potential import Company, Potentials
from shared.runtime.own_process import EndedEarly, FaultInOwnProcess, in_own_process


class TrainingEnded(RuntimeError):
    """The process ended without an answer: it was killed, for its memory perhaps, or it failed."""


async def train(companies: Sequence[Company], *, seed: int) -> Potentials:
    """Estimate potentials in a process that ends with this call, cancelled or not. Raises TrainingEnded."""
    try:
        return await in_own_process(_train, (companies, seed), name="potentials")
    except (EndedEarly, FaultInOwnProcess) as error:
        raise TrainingEnded from error


def _train(asked: tuple[Sequence[Company], int]) -> Potentials:
    # Seconds and a hundred megabytes that only this process has a use for.
    from services.assignment.potentials.trial import estimate_potentials  # noqa: PLC0415

    companies, seed = asked
    return estimate_potentials(companies, seed=seed)
