"""What this service reads from Kafka: subscriptions by the name of the consumer."""

from services.assignment.projections.account_measures import ACCOUNT_MEASURES
from shared.messaging.run import Consumers

CONSUMERS: Consumers = {"assignment.measures": [ACCOUNT_MEASURES]}
