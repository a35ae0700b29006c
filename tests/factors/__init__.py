"""The factor tables, and places."""
