"""Cores and boards as data, and the C compiler that builds for them."""
