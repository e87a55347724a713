"""What imports from CRMs refuse as a whole; a wrong row is reported and the others are taken."""

from shared.runtime.refusals import Refusal


class UnreadableDocument(Refusal):
    """A body that does not hold lists of a CRM's records."""
