"""Kernels between real numbers and quanta."""
