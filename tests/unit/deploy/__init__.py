"""How a run on one machine is put together."""
