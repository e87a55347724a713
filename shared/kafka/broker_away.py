"""The error of asking a broker that does not answer."""


class BrokerAway(ConnectionError):
    """No broker answered, or none that knew; asking again later may help."""
