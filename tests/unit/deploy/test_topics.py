"""The list of topics, and what brings a cluster in line with it."""

import pytest
import yaml
from confluent_kafka import KafkaError

from deploy.local import topics
from deploy.local.topics import TOPICS_FILE, Topic, changes_between, read_topics, wait_for_coordinators
from deploy.local.trouble import Trouble

FACTS = Topic("sales.facts.v1", 8, {"retention.ms": "-1"})


def test_every_reader_has_a_dead_letter_topic_per_topic_it_reads():
    names = {topic.name: topic for topic in read_topics()}

    assert names["sales.facts.v1.metrics.facts.dlq"].partitions == 1
    assert names["assignment.account.events.v1.collab.handoffs.dlq"].settings["retention.ms"] == "-1"
    consumers = yaml.safe_load(TOPICS_FILE.read_text())["consumers"]
    assert {name for name in names if name.endswith(".dlq")} == {
        f"{topic}.{consumer['name']}.dlq" for consumer in consumers for topic in consumer["reads"]
    }


def test_history_is_kept_for_ever_and_state_is_compacted():
    named = {topic.name: topic for topic in read_topics()}

    assert named["assignment.account.events.v1"].settings == {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
    }
    assert named["metrics.account.state.v1"].settings["cleanup.policy"] == "compact"


def test_a_prefix_stands_before_every_name():
    assert all(topic.name.startswith("one.") for topic in read_topics(prefix="one."))


def test_a_missing_topic_is_created():
    assert changes_between([FACTS], {}).create == (FACTS,)


def test_a_topic_as_listed_needs_nothing():
    """Settings that the list does not name are the cluster's own business."""
    found = Topic(FACTS.name, 8, {"retention.ms": "-1", "segment.bytes": "1"})

    assert not changes_between([FACTS], {FACTS.name: found})


def test_only_the_settings_that_differ_are_set():
    found = Topic(FACTS.name, 8, {"retention.ms": "5", "cleanup.policy": "delete"})
    wanted = Topic(FACTS.name, 8, {"retention.ms": "-1", "cleanup.policy": "delete"})

    assert changes_between([wanted], {FACTS.name: found}).alter == (
        Topic(FACTS.name, 8, {"retention.ms": "-1"}),
    )


def test_another_number_of_partitions_is_refused():
    """Growing a topic sends keys to other partitions, and their order is lost."""
    with pytest.raises(Trouble, match=r"sales\.facts\.v1 has 4 partitions, topics\.yaml says 8"):
        changes_between([FACTS], {FACTS.name: Topic(FACTS.name, 4)})


def test_a_reader_of_no_topic_is_refused(tmp_path):
    file = tmp_path / "topics.yaml"
    file.write_text(
        "kinds: {dead-letters: {}}\ntopics: []\nconsumers: [{name: collab.handoffs, reads: [typo.v1]}]\n"
    )

    with pytest.raises(Trouble, match=r"collab\.handoffs reads typo\.v1, which is no topic"):
        read_topics(file)


@pytest.fixture
def cluster(monkeypatch):
    """A cluster that says "not yet" as often as one likes: the codes of its answers, None for a good one."""
    codes: list[int | None] = []
    monkeypatch.setattr(topics, "error_of_asking", lambda _client, _group: codes.pop(0))
    return codes


def test_a_coordinator_is_asked_for_until_it_answers(cluster):
    cluster += [KafkaError._TIMED_OUT, KafkaError.NOT_COORDINATOR, None, None]

    wait_for_coordinators({}, ["metrics.facts", "collab.handoffs"])

    assert cluster == []


def test_who_may_not_look_at_a_group_does_not_wait_for_it(cluster):
    cluster += [KafkaError.GROUP_AUTHORIZATION_FAILED]

    wait_for_coordinators({}, ["metrics.facts"], timeout=0)

    assert cluster == []


def test_a_cluster_that_never_coordinates_ends_in_a_sentence(cluster):
    cluster += [KafkaError.COORDINATOR_NOT_AVAILABLE]

    with pytest.raises(Trouble, match=r"No broker coordinates the group metrics\.facts"):
        wait_for_coordinators({}, ["metrics.facts"], timeout=0)


@pytest.mark.parametrize(("copies", "minimum"), [(1, None), (2, None), (3, "2"), (5, "3")])
def test_of_three_copies_two_have_to_be_there_for_a_write(copies, minimum):
    """Brokers ask for one by default, and the last of three would acknowledge what is lost with it."""

    class Done:
        def result(self):
            return None

    class Admin:
        def create_topics(self, new, **_):
            self.asked = [(topic.replication_factor, topic.config) for topic in new]
            return {"sales.facts.v1": Done()}

    admin = Admin()
    topics.create_topics(admin, [FACTS], copies)
    [(replication, settings)] = admin.asked
    assert (replication, settings.get("min.insync.replicas")) == (copies, minimum)
    assert settings["retention.ms"] == "-1"
