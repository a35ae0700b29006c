"""What is asked for, and where we are: settings with their origin, plug-ins, the place."""
