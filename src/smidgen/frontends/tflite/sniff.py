"""What a file that is no TensorFlow Lite model seems to be, for the error message."""

from __future__ import annotations

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", "a zip archive (such as a .keras, PyTorch .pt or compressed download)"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file (such as a Keras .h5 model)"),
    (0, b"\x7fELF", "an ELF program or object file"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\x00", "an xz archive"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"RIFF", "a RIFF file (such as a WAV recording)"),
    (0, b"GGUF", "a GGUF language model"),
    (0, b"MZ", "a Windows program"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x80\x02", "a Python pickle"),
    (0, b"\x80\x03", "a Python pickle"),
    (0, b"\x80\x04", "a Python pickle"),
    (0, b"\x80\x05", "a Python pickle"),
    (4, b"TFL1", "a TensorFlow Lite model of schema version 1"),
    (4, b"TFL2", "a TensorFlow Lite model of schema version 2"),
    (4, b"ET1", "an ExecuTorch program"),
    (257, b"ustar", "a tar archive"),
)
_LOOK_BYTES = 4096


def describe_content(data: bytes) -> str:
    """A phrase for what `data` seems to be, such as ``an ONNX model``."""
    for start, magic, phrase in _SIGNATURES:
        if data.startswith(magic, start):
            return phrase
    if not data.strip(b"\0"):
        return "nothing but zero bytes"
    if data[0] == 0x08 and _looks_like_onnx(data):
        return "an ONNX model"
    return _describe_text(data[:_LOOK_BYTES]) or "binary data of an unknown kind"


def _looks_like_onnx(data: bytes) -> bool:
    """ONNX is a protobuf: field 1 (IR version, a small number), then a string or the graph."""
    return len(data) > 3 and data[1] < 0x40 and data[2] in (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A)


def _describe_text(head: bytes) -> str:
    if any(byte < 32 and byte not in b"\t\n\r\f" for byte in head):
        return ""
    # The head may end within a character.
    text = head.decode("utf-8", "ignore" if len(head) == _LOOK_BYTES else "replace")
    if "\ufffd" in text:
        return ""
    if "0x" in text and "[]" in text:
        return "a C array in a source file (turn it back into binary with 'xxd -r -p')"
    if "<html" in text.lower() or "<!doctype" in text.lower():
        return "a web page (perhaps the page of a download instead of the download)"
    if text.startswith("version https://git-lfs"):
        return "a Git LFS pointer (run 'git lfs pull' to fetch the model itself)"
    return "JSON text" if text.lstrip().startswith(("{", "[")) else "plain text"
