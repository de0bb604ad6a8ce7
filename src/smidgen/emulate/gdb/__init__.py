"""A debugger on an emulated board: breakpoints and steps, and GDB's remote serial protocol."""
