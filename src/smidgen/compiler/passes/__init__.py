"""Rewrites of the graph, one a file; `smidgen.compiler.pipeline` lists them in order."""
