"""Ops that move or relabel elements and compute nothing."""
