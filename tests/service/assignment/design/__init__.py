"""Design runs over HTTP and in the worker, on a real database and real engines."""
