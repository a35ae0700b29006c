"""What a trace file is made of: cells, moments, columns with a meaning, steps."""
