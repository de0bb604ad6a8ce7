"""Ops between quanta and real numbers, and between scales."""
