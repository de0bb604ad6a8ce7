"""Foreign model formats: a file goes in, a `Graph` comes out."""
