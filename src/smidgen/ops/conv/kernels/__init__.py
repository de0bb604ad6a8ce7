"""Kernels of the convolutions, one variant a file."""
