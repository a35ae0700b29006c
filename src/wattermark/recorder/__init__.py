"""The recorder: one thread that looks at every meter on the beat and writes down what it said."""
