"""Op families: what each op means (NumPy), and how it becomes C."""
