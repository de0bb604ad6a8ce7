"""The typed graph: tensors, ops, nodes, rules, reference execution."""
