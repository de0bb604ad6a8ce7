"""Element-by-element arithmetic, with broadcasting."""
