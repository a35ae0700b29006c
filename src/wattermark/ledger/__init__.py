"""What was seen, kept: append-only spools, one folder a run, readable by any tool that reads JSON Lines."""
