"""How many reps the work of accounts takes, before any territory is drawn."""
