"""Matrix products of two activations."""
