"""What several families share: activations, windows, requantisation, in Python and in C."""
