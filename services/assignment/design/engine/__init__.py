"""Designs territories: arrays in, arrays out; no database, no clock, no randomness but what is passed in."""
