"""Matching in a process of its own: the api does without arrays, and gives the memory back."""

from services.assignment.design.matching.question import Matching, Question
from services.assignment.design.matching.refusals import RepsNotMatched
from shared.runtime.own_process import EndedEarly, TookTooLong, in_own_process

# Several times what as many territories as a tree may have take: 5,000 reps, a minute and a gigabyte; 2,000, seconds.
LONGEST_SECONDS = 300.0


async def matched(question: Question) -> Matching:
    """Have a question answered by a process that ends with this call, cancelled or not.

    Raises RepsNotMatched, FaultInOwnProcess.
    """
    try:
        return await in_own_process(_match, question, name="rep matching", seconds=LONGEST_SECONDS)
    except TookTooLong:
        raise RepsNotMatched(f"Reps were not matched within {LONGEST_SECONDS:.0f} seconds.") from None
    except EndedEarly:
        raise RepsNotMatched(
            "Matching ended without an answer; for want of memory, perhaps. Try again."
        ) from None


def _match(question: Question) -> Matching:
    # A second and some memory that only this process has a use for.
    from services.assignment.design.matching.matching import match_reps  # noqa: PLC0415

    return match_reps(question)
