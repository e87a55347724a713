"""What edits proposals: moving accounts, and taking edits back and making them again."""
