"""Signals: what changes by the hour, as providers tell it."""
