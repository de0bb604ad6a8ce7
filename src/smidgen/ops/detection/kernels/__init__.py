"""Kernels of object detection."""
