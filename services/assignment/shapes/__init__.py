"""Real shapes of postal codes and counties, which boundaries of territories are made of."""
