"""Skins for trainers and notebooks: their hooks in, a run out. No formula, and no fault of ours is theirs."""
