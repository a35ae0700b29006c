"""Settings, plug-ins and the place."""
