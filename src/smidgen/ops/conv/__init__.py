"""Convolutions: full and depthwise."""
