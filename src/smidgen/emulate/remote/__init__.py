"""GDB's remote serial protocol: its frames, and a relay to an emulator that speaks it itself."""
