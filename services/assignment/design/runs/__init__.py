"""Runs of the optimiser: asked for per draft, taken by the worker from a queue, followed, cancelled."""
