"""TensorFlow Lite: a hardened reader, and a converter for each operator."""
