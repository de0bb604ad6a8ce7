"""Kernels against the NumPy reference, on the host and on emulated cores."""
