"""How Bailiwick is run: on one machine, and in containers."""
