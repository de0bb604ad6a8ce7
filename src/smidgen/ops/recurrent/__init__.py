"""Layers with a memory: LSTM, SVDF."""
