"""Everything on one machine: real Postgres, real Kafka, every process, one terminal."""
