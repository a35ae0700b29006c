"""Jobs tried on histories: every start, every policy, and what each would have saved."""
