"""What is known of single channels: the values they can have, and which of them must stay.

A channel is an index of a tensor's last axis. `table.py` lists what each op does to channels;
`ranges.py` follows the values that channels can have through a graph, `classes.py` those that are
equal, `removal.py` works out which channels nobody needs.
"""
