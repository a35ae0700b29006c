"""Numbers from papers, with their papers."""
