"""The deepest stack that linked code can need."""
