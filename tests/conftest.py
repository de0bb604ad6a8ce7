"""Its place makes this folder importable, so that tests can say ``from support import ...``."""
