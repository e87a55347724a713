-- Which event has the last applied version of a key, and the highest id applied of it: what tells another event under a
-- used version from a repeat (shared/messaging/divergence.py). They hold while identified_version equals version: a
-- release that does not know them moves version alone.

ALTER TABLE consumer_watermarks ADD COLUMN identified_version bigint;
ALTER TABLE consumer_watermarks ADD COLUMN last_event_id uuid;
ALTER TABLE consumer_watermarks ADD COLUMN highest_event_id uuid;
