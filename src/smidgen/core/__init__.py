"""Errors, element types and fixed-point arithmetic: what every room stands on."""
