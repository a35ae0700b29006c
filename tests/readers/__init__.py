"""Meters, on fake devices and on this machine."""
