"""Estimates before anything runs, rows of what-if, and what a calibration is made of."""
