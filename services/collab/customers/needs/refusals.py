"""Why a need is not registered or changed."""

from shared.runtime.refusals import Refusal


class NeedStatusRefused(Refusal):
    """No step leads from the status it has to the one asked for."""


class NeedMetWithoutEvidence(Refusal):
    """That a need is met has to be shown."""


class NeedDroppedWithoutReason(Refusal):
    """Dropping a need takes a reason, anything else takes none."""


class TooMuchEvidence(Refusal):
    """A need holds no more entries of evidence."""
