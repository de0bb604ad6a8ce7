"""Kernels of the recurrent layers, one variant a file."""
