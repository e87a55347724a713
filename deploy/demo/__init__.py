"""The demo organisation: real places, invented companies; seeded through the public APIs, then toured."""
