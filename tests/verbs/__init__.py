"""The things one can do, in real programs."""
