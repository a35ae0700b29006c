"""Requests and their energy: noting them, watching engines, reports, imports."""
