"""The science, on numbers made by hand."""
