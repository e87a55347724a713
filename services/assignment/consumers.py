"""What this service reads from Kafka: subscriptions by the name of the consumer."""

from services.assignment.customers.commands import CUSTOMER_TRAITS
from services.assignment.projections.account_measures import ACCOUNT_MEASURES
from services.assignment.projections.held_certifications import HELD_CERTIFICATIONS
from shared.messaging.run import Consumers

CONSUMERS: Consumers = {
    "assignment.certifications": [HELD_CERTIFICATIONS],
    "assignment.customers": [CUSTOMER_TRAITS],
    "assignment.measures": [ACCOUNT_MEASURES],
}
