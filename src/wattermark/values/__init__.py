"""What flows through the house: units, ranges, records, and the Protocols of every seam."""
