"""What the hours to come will be, how wrong that is, and what a plan therefore saves, with which chance."""
