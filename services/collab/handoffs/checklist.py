"""What has to be done before an account counts as handed over, by template. Pure.

A handoff keeps the name of the template it was opened with: a changed list is a new template, so that
nobody's work is measured by a list they have not seen.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do."""

    code: str
    title: str


ACCOUNT_V1 = "account.v1"

TEMPLATES: dict[str, tuple[Item, ...]] = {
    ACCOUNT_V1: (
        Item("open-deals-reviewed", "Go through the open opportunities together."),
        Item("promises-listed", "Write down what the customer was promised."),
        Item("contacts-passed-on", "Pass on who decides, who uses, who pays."),
        Item("customer-introduced", "Introduce the new rep to the customer."),
    ),
}


def codes_of(template: str) -> frozenset[str]:
    """Return the codes of a template's items."""
    return frozenset(item.code for item in TEMPLATES[template])
