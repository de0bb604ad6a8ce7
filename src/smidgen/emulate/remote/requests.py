"""What a debugger may want of a device that no answer gives; raised from calls."""


class PowerCycle(Exception):  # noqa: N818 - a request, and no error
    """The debugger wants the device to start anew; the call that ran has ended."""


class Killed(Exception):  # noqa: N818 - a request, and no error
    """The debugger wants the device to end."""
