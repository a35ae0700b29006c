"""Many jobs at once, where places have only so much room: pure functions on slots."""
