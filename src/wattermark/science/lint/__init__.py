"""Whether the numbers of a page can be true together: pure functions on claims."""
