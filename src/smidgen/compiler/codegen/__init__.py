"""The C writer: programs become C99 that people read and vendor."""
