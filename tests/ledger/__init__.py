"""What is kept, whatever happens to the writer."""
