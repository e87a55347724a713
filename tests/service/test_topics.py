"""A cluster that has just been made is ready for consumers once the topics step is through."""

from deploy.local.kafka import EmbeddedKafka
from deploy.local.topics import apply_topics, error_of_asking, read_groups, read_topics
from shared.testing.kafka import KafkaSandbox


def test_every_group_has_a_coordinator_before_the_first_consumer_starts(tmp_path):
    """Without that, each consumer of a first run complains about it."""
    tmp_path.chmod(0o755)
    kafka = EmbeddedKafka(tmp_path / "kafka", fast=True)
    kafka.start()
    try:
        admin = KafkaSandbox(kafka.bootstrap_servers)._admin
        assert "__consumer_offsets" not in admin.list_topics(timeout=20).topics
        client = {"bootstrap.servers": kafka.bootstrap_servers}
        created = apply_topics(kafka.bootstrap_servers).create
        assert {topic.name for topic in created} == {topic.name for topic in read_topics()}
        assert "__consumer_offsets" in admin.list_topics(timeout=20).topics
        assert [error_of_asking(client, group) for group in read_groups()] == [None] * len(read_groups())
        assert not apply_topics(kafka.bootstrap_servers)
    finally:
        kafka.stop()
