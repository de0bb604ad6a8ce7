"""Runs linked code on an emulated board, and counts what it costs."""
