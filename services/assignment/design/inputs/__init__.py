"""What runs are made of: accounts as arrays, capacities and homes of territories."""
