"""Kernels of the fully connected layer, one variant a file."""
