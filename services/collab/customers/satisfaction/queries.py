"""Reads of satisfaction: an account's latest answers, and the figures of territories."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.customers.refusals import PeriodEndsTooSoon
from services.collab.customers.satisfaction.score import (
    DETRACTOR,
    PROMOTER,
    SATISFIED,
    Figure,
    ScoreKind,
    net_promoter_score,
    satisfied_percent,
)
from shared.db.scope import Scope
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """An answer of a customer."""

    score_id: UUID
    kind: ScoreKind
    score: int
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class TerritorySatisfaction:
    """The figures of a territory and everything below it: every answer counts, where its account is now."""

    territory_id: UUID
    nps: Figure
    csat: Figure


_LATEST = text("""
SELECT DISTINCT ON (kind) score_id, kind, score, answered_at FROM satisfaction_scores
WHERE account_id = :account ORDER BY kind, answered_at DESC, score_id DESC
""")
_FIGURES = text(f"""
SELECT asked.territory_id, counted.* FROM (
    SELECT DISTINCT t.territory_id FROM live_closure AS t
    WHERE {Scope.covers("t.territory_id")}
        AND (CAST(:territory AS uuid) IS NULL OR t.territory_id = CAST(:territory AS uuid))
        AND (CAST(:after AS uuid) IS NULL OR t.territory_id > CAST(:after AS uuid))
    ORDER BY t.territory_id LIMIT :limit
) AS asked CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE s.kind = 'nps') AS answers,
        count(*) FILTER (WHERE s.kind = 'nps' AND s.score >= {PROMOTER}) AS promoters,
        count(*) FILTER (WHERE s.kind = 'nps' AND s.score <= {DETRACTOR}) AS detractors,
        count(*) FILTER (WHERE s.kind = 'csat') AS rated,
        count(*) FILTER (WHERE s.kind = 'csat' AND s.score >= {SATISFIED}) AS satisfied
    FROM live_closure AS below
    JOIN current_alignments AS a ON a.territory_id = below.territory_id
    JOIN satisfaction_scores AS s ON s.account_id = a.account_id
    WHERE below.ancestor_id = asked.territory_id
        AND (CAST(:since AS timestamptz) IS NULL OR s.answered_at >= CAST(:since AS timestamptz))
        AND (CAST(:until AS timestamptz) IS NULL OR s.answered_at < CAST(:until AS timestamptz))
) AS counted ORDER BY asked.territory_id
""")


async def find_latest_scores(read: AsyncConnection, account_id: UUID) -> list[ScoreRow]:
    """Return the latest answer of each kind, whoever asks."""
    rows = await read.execute(_LATEST, {"account": account_id})
    return [ScoreRow(row.score_id, ScoreKind(row.kind), row.score, row.answered_at) for row in rows]


async def list_figures(
    read: AsyncConnection,
    *,
    territory_id: UUID | None,
    since: datetime | None,
    until: datetime | None,
    scope: Scope,
    after: UUID | None,
    limit: int,
) -> list[TerritorySatisfaction]:
    """Return figures by territory. Raises PeriodEndsTooSoon, or NotFound for a territory outside the scope."""
    if since is not None and until is not None and until <= since:
        raise PeriodEndsTooSoon("to: must lie after from; leave either out for no bound.")
    binds = {"territory": territory_id, "since": since, "until": until, "after": after, "limit": limit}
    rows = (await read.execute(_FIGURES, {**scope.parameters(), **binds})).all()
    if territory_id is not None and not rows and after is None:
        raise NotFound("territory_id: the live plan has no such territory.")
    return [
        TerritorySatisfaction(
            territory_id=row.territory_id,
            nps=net_promoter_score(n=row.answers, promoters=row.promoters, detractors=row.detractors),
            csat=satisfied_percent(n=row.rated, satisfied=row.satisfied),
        )
        for row in rows
    ]
