"""Cores on Unicorn: the board's memory, exact counts by native hooks, faults explained."""
