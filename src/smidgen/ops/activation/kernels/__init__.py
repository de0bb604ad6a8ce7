"""Kernels of the activations, one group of formulas a file."""
