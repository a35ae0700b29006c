"""Builders of the factor tables that wattermark ships; see ``tools/build_factors.py``."""
