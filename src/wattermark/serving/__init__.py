"""What inference servers and providers say: routes, usage, streams, engines, and the relay in between."""
