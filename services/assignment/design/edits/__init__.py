"""Editing proposals by hand: accounts moved to other territories, scored at once, undone and redone."""
