"""What metrics reads, and which handler takes what."""

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.attribution.commands.record_previews import record_previews
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.coverages.commands import end_coverages, start_coverages
from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.training.commands import keep_certifications, revoke_certifications
from shared.contracts import assignment, sales, training
from shared.messaging.projection import Entangled, Projection
from shared.messaging.subscription import Subscription

# Facts, timelines and trees meet in the roll-ups, which all three topics and the facts write together.
_ROLLED_UP = Entangled(
    "It moves sums in the roll-ups, together with other topics; POST /v1/reconciliations counts them anew."
)

CONSUMERS = {
    "metrics.facts": (Subscription(sales.FACTS, {sales.FactsRecorded: apply_facts}, keeps=_ROLLED_UP),),
    "metrics.attribution": (
        Subscription(assignment.ACCOUNTS, {assignment.AccountAligned: record_alignments}, keeps=_ROLLED_UP),
        Subscription(
            assignment.PLANS,
            {assignment.PlanActivated: record_activations, assignment.PlanPreviewed: record_previews},
            keeps=_ROLLED_UP,
        ),
        Subscription(assignment.TERRITORIES, {assignment.TreePublished: record_trees}, keeps=_ROLLED_UP),
    ),
    "metrics.training": (
        Subscription(
            training.TRAINING,
            {
                training.CertificationGranted: keep_certifications,
                training.CertificationRevoked: revoke_certifications,
            },
            keeps=Projection(("certifications",)),
        ),
    ),
    # A consumer of its own: where metrics ran before, it reads the coverages from their beginning.
    "metrics.coverages": (
        Subscription(
            assignment.COVERAGES,
            {assignment.CoverageStarted: start_coverages, assignment.CoverageEnded: end_coverages},
            keeps=Projection(("coverages",)),
        ),
    ),
}
