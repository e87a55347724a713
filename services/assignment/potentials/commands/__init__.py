"""What changes potential estimates: asking for one, and making it."""
