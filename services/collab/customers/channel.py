"""How and what for a customer is contacted. Pure."""

from enum import StrEnum


class Channel(StrEnum):
    """A way to reach a customer."""

    EMAIL = "email"
    PHONE = "phone"
    VIDEO = "video"
    VISIT = "visit"
    SMS = "sms"
    CHAT = "chat"
    POST = "post"


class Purpose(StrEnum):
    """What a contact is for."""

    SERVICE = "service"
    SALES = "sales"
    MARKETING = "marketing"
    SURVEY = "survey"


OPT_IN = frozenset({Purpose.MARKETING, Purpose.SURVEY})
"""Purposes that need a yes; for the others it is enough that nobody said no."""

UNTIMED = frozenset({Channel.POST})
"""Channels that ring nobody's bell: contact hours do not bind them."""
