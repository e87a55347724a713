"""What webhooks refuse."""

from shared.runtime.refusals import Refusal


class InvalidSignature(Refusal):
    """No such source, not signed by it, or not within the last minutes; the three are told apart for nobody."""


class UnreadableDelivery(Refusal):
    """A delivery that is not made as this source's deliveries are."""


class SealKeyMissing(Refusal):
    """Secrets cannot be kept, because the process was given no key to seal them with."""
