"""A model of a consumer group: who reads what by Kafka's opinion, which may be wrong or late."""

from tests.simulation.consuming import Reading, ReadingDatabase
from tests.simulation.event_log import EventLog
from tests.simulation.safeguards import Safeguards
from tests.simulation.telling import PLACES, Place


class Group:
    """Members of one consumer group, and Kafka's opinion about its positions."""

    def __init__(
        self, members: int, database: ReadingDatabase, log: EventLog, safeguards: Safeguards
    ) -> None:
        self._database = database
        self._log = log
        self._safeguards = safeguards
        self.committed: dict[Place, int] = {}
        self.members: list[dict[Place, Reading]] = [{} for _ in range(members)]
        self.readings: list[Reading] = []
        self.shared = False
        for at, place in enumerate(PLACES):
            self.assign(at % members, place)

    def assign(self, member: int, place: Place) -> Reading | None:
        """Give a member a partition it has not, from the group's position on; another may still be reading it."""
        if place in self.members[member]:
            return None
        position = self.committed.get(place, self._log.begins[place])
        reading = Reading(place, position, self._database, self._log, self._safeguards)
        self.members[member][place] = reading
        self.readings.append(reading)
        self.shared |= sum(each.place == place for each in self.readings) > 1
        return reading

    def stay(self, member: int, place: Place) -> None:
        """Have a rebalance give a member what it has."""
        reading = self.members[member].get(place)
        if reading is not None:
            reading.stay(self.committed.get(place, self._log.begins[place]))

    def revoke(self, member: int, place: Place) -> None:
        """Have a member notice that a partition is another's."""
        reading = self.members[member].pop(place, None)
        if reading is not None:
            reading.leave()
            self.readings.remove(reading)

    def crash(self, member: int) -> None:
        """End a member in the middle of everything."""
        for place in list(self.members[member]):
            self.revoke(member, place)

    def hint(self, member: int, place: Place) -> None:
        """Commit a position to Kafka, whoever the partition belongs to by now."""
        reading = self.members[member].get(place)
        if reading is not None and reading.applied_to is not None:
            self.committed[place] = reading.applied_to
