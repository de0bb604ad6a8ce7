"""AVR boards, on the simulator simavr."""
