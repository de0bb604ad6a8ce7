"""Kernels of the poolings, one variant a file."""
