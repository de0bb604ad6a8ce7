"""Fixed-point signal processing: the custom ops of TensorFlow Lite Micro's audio front end."""
