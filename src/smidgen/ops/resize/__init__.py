"""Images brought to another size."""
