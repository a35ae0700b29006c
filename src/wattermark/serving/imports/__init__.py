"""Requests that others kept: gateways, tracers and providers, each in its own words."""
