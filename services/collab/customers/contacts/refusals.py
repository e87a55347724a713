"""Why a contact is not logged."""

from shared.runtime.refusals import Refusal


class ContactRefused(Refusal):
    """The customer does not want to be contacted like this; `reason` says why."""


class ContactAhead(Refusal):
    """A contact that was made lies in the future."""
