"""Layers run a band of rows at a time, so that no tensor between them is ever there as a whole."""
