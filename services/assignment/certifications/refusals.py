"""What certifications refuse."""

from shared.runtime.refusals import Refusal


class RepNotCertified(Refusal):
    """The territory requires a certification that the rep does not hold on that day."""
