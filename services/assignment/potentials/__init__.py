"""What accounts may be worth: estimates for prospects, learnt from the accounts whose worth is known."""
