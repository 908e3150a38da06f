"""One module a file format: each turns the bytes of a file into a `SourceText`."""
