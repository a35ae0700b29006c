"""Values: ranges, footprints, units."""
