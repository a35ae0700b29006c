"""When, where and in what order to run: exact where exact is possible, on steps of any length."""
