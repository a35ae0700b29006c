"""What inference engines tell of themselves: one file an engine, from its page of metrics to our words."""
