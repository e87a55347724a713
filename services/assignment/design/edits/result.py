"""What an edit, an undoing or a redoing made of a proposal."""

from dataclasses import dataclass

from services.assignment.design.edits.edit import Edit
from services.assignment.design.edits.queries import Standing
from services.assignment.design.edits.score import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedProposal:
    """The proposal as it stood, and the figures of what was touched before and after.

    `unchanged` accounts were where they were to go.
    """

    standing: Standing
    edit: Edit
    edit_version: int
    unchanged: int
    before: Image
    after: Image
