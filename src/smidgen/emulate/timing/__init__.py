"""Modelled clocks: a table for each core, and simulated waits for the board's memory."""
