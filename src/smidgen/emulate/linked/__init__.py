"""Linked code, taken apart: its sections, its instructions, and what they do."""
