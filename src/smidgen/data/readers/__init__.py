"""Readers of recording files: .csv, .npy, .wav and the .ts collections of sktime and aeon.

All of them treat the file as untrusted: what is not as it should be ends in a `DatasetError`
that names the file and the line, and nothing is allocated that the file itself does not carry.
"""
