"""Bytes that nobody meant, for every door through which bytes come in; what must hold all the same."""
