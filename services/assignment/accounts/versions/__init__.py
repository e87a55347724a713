"""What rules could look at on an account, by period."""
