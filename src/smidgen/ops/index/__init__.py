"""Elements picked by position: gather, select, the place of the largest, running sums."""
