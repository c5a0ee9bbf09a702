"""The trail as a file: formats, a stream in constant memory, a trailer that proves the whole."""
