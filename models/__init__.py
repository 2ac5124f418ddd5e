"""The networks that compose and that sound; they know music (`duet.note`, `duet.roll`) and nothing else."""
