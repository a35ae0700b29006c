"""Tests of SLURM's verbs."""
