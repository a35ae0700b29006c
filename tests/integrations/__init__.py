"""Real trainers and a real IPython, where they are installed: ``make trainers``."""
