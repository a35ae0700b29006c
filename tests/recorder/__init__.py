"""The beat, with meters made for it."""
