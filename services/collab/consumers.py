"""What collab reads, and which handler takes what."""

from services.collab.goals.commands import follow_goals
from services.collab.handoffs.commands.hand_over_moved_accounts import hand_over_moved_accounts
from services.collab.projections.account_industries import keep_industries
from services.collab.projections.account_states import forget_account_states, keep_account_states
from services.collab.projections.coverages import end_coverages
from services.collab.projections.reps import keep_reps
from services.collab.projections.territories import follow_activations, keep_trees
from services.collab.projections.territory_kinds import keep_kinds
from services.collab.training.enrolments.commands.enrol_by_rule import enrol_as_coverage_starts
from shared.contracts import assignment, metrics
from shared.messaging.projection import Entangled, Projection
from shared.messaging.subscription import Subscription

CONSUMERS = {
    "collab.handoffs": (
        Subscription(
            assignment.ACCOUNTS,
            {assignment.AccountAligned: hand_over_moved_accounts},
            keeps=Entangled("It opens handoffs, which people have decided about since."),
        ),
        Subscription(
            assignment.PLANS,
            {assignment.PlanActivated: follow_activations},
            keeps=Projection(("live_plan",)),
        ),
        Subscription(
            assignment.TERRITORIES,
            {assignment.TreePublished: keep_trees},
            keeps=Projection(("tree_closures",)),
        ),
        Subscription(
            assignment.COVERAGES,
            {assignment.CoverageStarted: enrol_as_coverage_starts, assignment.CoverageEnded: end_coverages},
            keeps=Entangled("It enrols reps in programmes by the rules of that day, as coverages start."),
        ),
        Subscription(
            metrics.ACCOUNT_STATE,
            {metrics.AccountState: keep_account_states},
            forget_account_states,
            keeps=Projection(("account_states",)),
        ),
    ),
    # A consumer of its own: where collab ran before, it reads what it is told here from the beginning.
    "collab.training": (
        Subscription(
            assignment.ACCOUNTS,
            {assignment.AccountRegistered: keep_industries, assignment.AccountChanged: keep_industries},
            keeps=Projection(("account_industries",)),
        ),
        Subscription(
            assignment.TERRITORIES,
            {assignment.TreePublished: keep_kinds},
            keeps=Projection(("territory_kinds",)),
        ),
        Subscription(
            assignment.REPS,
            {assignment.RepRegistered: keep_reps, assignment.RepChanged: keep_reps},
            keeps=Projection(("reps",)),
        ),
    ),
    "collab.goals": (
        Subscription(
            metrics.GOALS,
            {
                metrics.GoalAtRisk: follow_goals,
                metrics.GoalRecovered: follow_goals,
                metrics.GoalSettled: follow_goals,
                metrics.GoalCancelled: follow_goals,
            },
            keeps=Entangled("It writes notes, which people answer and edit."),
        ),
    ),
}
