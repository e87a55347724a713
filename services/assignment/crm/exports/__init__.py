"""Giving accounts, reps and plans back as CRMs write them; what is imported again is the same."""
