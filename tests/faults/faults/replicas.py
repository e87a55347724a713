"""Three brokers with three copies of everything: one dies, then another, then both come back.

With one gone the cluster elects new leaders and everything goes on. With two gone fewer than two copies are in
sync: nothing is acknowledged any more, and rows wait in the outbox while the apis go on answering.
"""

import re
import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from deploy.local.kafka import quiet_admin
from tests.faults.cluster import Broker, Cluster
from tests.faults.fault import Fault
from tests.faults.stage import Stage, start_engines, three_brokers, three_brokers_apart
from tests.faults.tampering import witness

RELAYS = ("assignment.relay", "assignment.relay.2")
# Longer than the time that a producer gives a broker to answer, which is 30 s.
_BELOW_SECONDS = 35.0
_REFUSED = re.compile(r"Got error produce response.*?([A-Z][A-Za-z]+Error)\b")


def lose_brokers(stage: Stage) -> None:
    """Kill the broker that leads the controllers where there is one, then another, then restore both."""
    cluster = stage.engines.kafka
    assert isinstance(cluster, Cluster)
    _require_replicas(stage)
    first, second, last = cluster.by_leadership()
    _kill_one(stage, cluster, first)
    _go_below_the_minimum(stage, second, last, controllers_live=bool(cluster.controllers))
    _restore(stage, first, second)


def _require_replicas(stage: Stage) -> None:
    """Make sure that the topic is what the fault is about: three copies, two of which have to be there."""
    admin, name = stage.log.admin(), stage.log.physical(witness.TOPIC)
    copies = {
        len(part.replicas) for part in admin.list_topics(name, timeout=30).topics[name].partitions.values()
    }
    [asked] = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]).values()
    minimum = asked.result(30)["min.insync.replicas"].value
    stage.require(
        that=copies == {3} and minimum == "2",
        otherwise=f"{copies} copies of which {minimum} have to be there",
    )


def _kill_one(stage: Stage, cluster: Cluster, broker: Broker) -> None:
    others = ",".join(other.bootstrap_servers for other in cluster.brokers if other is not broker)
    led = _led_by(quiet_admin(others), stage, broker)
    stage.require_hurt(that=led > 0, otherwise="the broker that is killed leads no partition of accounts")
    unfit = _not_answered(stage)
    began = time.monotonic()
    broker.kill()
    admin = quiet_admin(others)
    stage.wait(lambda: _without_leader(admin, stage, broker), what="new leaders")
    elected = time.monotonic() - began
    stage.wait_until_sent()
    sent = time.monotonic() - began
    stage.wait_until_through()
    applied = time.monotonic() - began
    stage.remark(
        f"broker {broker.number} killed, leader of {led} partitions of accounts: new leaders after {elected:.1f} s, "
        f"sent again after {sent:.1f} s, read again after {applied:.1f} s"
    )
    stage.require(
        that=_not_answered(stage) == unfit, otherwise="apis answered 5xx while leaders were elected"
    )


def _led_by(admin: AdminClient, stage: Stage, broker: Broker) -> int:
    name = stage.log.physical(witness.TOPIC)
    found = admin.list_topics(name, timeout=30).topics[name].partitions.values()
    return sum(part.leader == broker.number for part in found)


def _without_leader(admin: AdminClient, stage: Stage, dead: Broker) -> str | None:
    name = stage.log.physical(witness.TOPIC)
    try:
        found = admin.list_topics(name, timeout=2).topics[name].partitions.values()
    except KafkaException:
        return "no broker answers"
    waiting = sum(part.leader in {dead.number, -1} for part in found)
    return f"{waiting} partitions without a leader" if waiting or not found else None


def _go_below_the_minimum(stage: Stage, second: Broker, last: Broker, *, controllers_live: bool) -> None:
    logged = {name: len(stage.fleet.log_of(name)) for name in RELAYS}
    unfit = _not_answered(stage)
    second.kill()
    # What was on its way has arrived or failed by then.
    stage.hold(10)
    before, acknowledged = _waiting(stage), len(stage.load.acknowledged)
    stage.hold(_BELOW_SECONDS - 10)
    after, done = _waiting(stage), len(stage.load.acknowledged) - acknowledged
    oldest = max(_oldest_by_metric(stage, name) for name in RELAYS)
    errors = {
        error
        for name, length in logged.items()
        for error in _REFUSED.findall(stage.fleet.log_of(name)[length:])
    }
    undecided = _why_undecided(last)
    stage.remark(
        f"below the minimum for {_BELOW_SECONDS:.0f} s: {done} commands acknowledged in {_BELOW_SECONDS - 10:.0f} s, "
        f"{after} rows waited, the oldest {oldest:.0f} s by the relay's metric; relays met "
        f"{', '.join(sorted(errors))}; "
        f"asked for a topic, controllers {undecided or 'made it'}"
    )
    stage.require(
        that=after > before > 0, otherwise=f"{before} rows waited, then {after}: they do not pile up"
    )
    stage.require(that=done > 0, otherwise="no command was acknowledged below the minimum")
    stage.require(
        that=(undecided is None) == controllers_live,
        otherwise=f"controllers were asked for a topic: {undecided or 'made without a majority'}",
    )
    stage.require(that=_not_answered(stage) == unfit, otherwise="apis answered 5xx below the minimum")
    stage.require(
        that=oldest >= _BELOW_SECONDS / 2, otherwise=f"the metric says the oldest row is {oldest:.0f} s old"
    )


def _restore(stage: Stage, *brokers: Broker) -> None:
    began = time.monotonic()
    for broker in brokers:
        broker.launch()
    for broker in brokers:
        broker.wait_ready()
    stage.remark(f"restored: brokers serve after {time.monotonic() - began:.1f} s")


def _oldest_by_metric(stage: Stage, relay: str) -> float:
    """Return the age of the oldest row in seconds as Prometheus would be told it."""
    told = re.search(
        r"^bailiwick_outbox_oldest_seconds\{.*?\} (\S+)$", stage.fleet.ask(relay, "/metrics")[1], re.MULTILINE
    )
    return float(told[1]) if told else 0.0


def _waiting(stage: Stage) -> int:
    return int(stage.database.value("SELECT count(*) FROM assignment.outbox"))


def _not_answered(stage: Stage) -> int:
    return sum(count for status, count in stage.load.tally.statuses.items() if status >= 500)


def _why_undecided(broker: Broker) -> str | None:
    """Return what keeps the controllers from deciding, None when they do: without a majority no topic can be made."""
    topic = NewTopic("asked-of-controllers", 1, 1)
    # Kept until it is answered: what it is asked ends with it.
    admin = quiet_admin(broker.bootstrap_servers)
    try:
        admin.create_topics([topic], request_timeout=15)[topic.topic].result()
    except KafkaException as error:
        return str(error.args[0].name())
    return None


FAULTS = {
    "F8": Fault(
        "three brokers that are their controllers: one killed, then another, then both restored",
        lose_brokers,
        engines=lambda: start_engines(three_brokers),
    ),
    "F8b": Fault(
        "the same with a controller apart, which lives",
        lose_brokers,
        engines=lambda: start_engines(three_brokers_apart),
    ),
}
