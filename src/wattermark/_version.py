"""The version, a literal: asking importlib.metadata for it costs 40 ms."""

__version__ = "0.1.0"
