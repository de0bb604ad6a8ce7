"""Activation functions that stand on their own: relu, softmax."""
