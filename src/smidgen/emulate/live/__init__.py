"""A build as a device that tools can talk to: a UART, a timer, and a command loop on the core."""
