"""State: values that outlive one run of the graph, read and written by ops of their own."""
