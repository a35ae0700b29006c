"""Shapes of language models: by their names, or by a config.json on disk."""
