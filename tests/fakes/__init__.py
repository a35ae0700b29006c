"""Fake meters with a known truth: compiled ones (`meters`) and plain folders (`tree`)."""
