"""Random networks over every operator that smidgen takes, judged from outside."""
