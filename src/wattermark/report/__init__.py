"""Footprints to words, tables and documents. Pure: nothing here reads, computes or prints."""
