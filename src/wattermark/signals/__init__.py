"""What changes by the hour, from whoever tells it: each provider asks and understands, one place fetches."""
