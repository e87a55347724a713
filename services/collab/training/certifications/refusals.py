"""What certifications and their awards refuse."""

from shared.runtime.refusals import Refusal


class CertificationExists(Refusal):
    """The code names another certification."""


class UnknownCertification(Refusal):
    """No certification has that code."""


class AwardOverlaps(Refusal):
    """The rep holds this certification on some of these days already."""


class AwardOver(Refusal):
    """The award ended before: there is nothing left to revoke."""
