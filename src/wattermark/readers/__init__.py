"""Meters, one file a kind: they read raw numbers and never subtract, scale or guess."""
