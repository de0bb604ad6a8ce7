"""Kernels of signal processing, one or a few related ops a file."""
