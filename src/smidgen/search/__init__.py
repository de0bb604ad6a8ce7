"""Searches that measure what they compare on an emulated core."""
