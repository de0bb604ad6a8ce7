"""Other people's test vectors: what they expect is what smidgen gives."""
