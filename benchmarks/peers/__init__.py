"""What other estimators say, by the formulas and constants that they published; no code of theirs is here."""
