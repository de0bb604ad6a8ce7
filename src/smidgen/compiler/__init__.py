"""Graph to C: rewrites, kernels, memory plan, writer."""
