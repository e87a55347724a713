"""A plan's scenarios beside each other."""
