"""Pure functions on numbers, arrays and values; one phenomenon a file."""
