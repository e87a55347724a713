"""What changes proposals: keeping what a run found, and accepting it into a draft."""
