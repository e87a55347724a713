"""What metrics reads, and which handler takes what."""

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.attribution.commands.record_previews import record_previews
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.coverages.commands import end_coverages, start_coverages
from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.training.commands import keep_certifications, revoke_certifications
from shared.contracts import assignment, sales, training
from shared.messaging.subscription import Subscription

CONSUMERS = {
    "metrics.facts": (Subscription(sales.FACTS, {sales.FactsRecorded: apply_facts}),),
    "metrics.attribution": (
        Subscription(assignment.ACCOUNTS, {assignment.AccountAligned: record_alignments}),
        Subscription(
            assignment.PLANS,
            {assignment.PlanActivated: record_activations, assignment.PlanPreviewed: record_previews},
        ),
        Subscription(assignment.TERRITORIES, {assignment.TreePublished: record_trees}),
    ),
    "metrics.training": (
        Subscription(
            training.TRAINING,
            {
                training.CertificationGranted: keep_certifications,
                training.CertificationRevoked: revoke_certifications,
            },
        ),
    ),
    # A consumer of its own: where metrics ran before, it reads the coverages from their beginning.
    "metrics.coverages": (
        Subscription(
            assignment.COVERAGES,
            {assignment.CoverageStarted: start_coverages, assignment.CoverageEnded: end_coverages},
        ),
    ),
}
