"""The things one can do: they look up, join and hand on. No number is changed here."""
