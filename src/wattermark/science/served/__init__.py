"""Requests that were served, as arrays: what each of them bears, and what rows of them add up to."""
