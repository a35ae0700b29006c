"""SLURM: submit a job for its best time, move it when forecasts change, tell what became of it."""
