"""Whose energy it is: devices shared among programs, a server among requests. It always adds up."""
