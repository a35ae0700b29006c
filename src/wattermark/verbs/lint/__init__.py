"""Read claims from a page, and say where they contradict each other."""
