"""Kernels of the shape ops: views that need no code, and copies."""
