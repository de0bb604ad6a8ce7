"""From the raw outputs of an object detector to boxes."""
