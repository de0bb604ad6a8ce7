"""Reductions: sums, means and extremes along axes."""
