"""Kernels of elementwise arithmetic, one group of formulas a file."""
