"""Kernels of the index ops."""
