"""医问: question answering over a hospital's own documents, with proof.

Importing this package does no work: no directory is made, no model loaded, no network touched.
"""

__version__ = "0.1.0"
