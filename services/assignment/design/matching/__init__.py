"""Which rep should get which of the territories that a run proposes."""
