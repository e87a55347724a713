"""The answer about what is another than a run saw."""

from pydantic import Field

from shared.http.bodies import View


class StaleView(View):
    """What is another than the run saw: figures of today, and what may go where, may be too."""

    draft_changed: bool = Field(
        description="The draft's version is another than when the run was asked for; accepting it raises that, too."
    )
    live_changed: bool | None = Field(
        description="A plan has gone live since the run read today's alignments; null: that was not noted."
    )
