"""Kernels of matrix products, one variant a file."""
