"""The hospital's documents as people keep them in the browser: what there is, and what changes.

`LibraryFolder` holds the uploaded files, `IndexWorker` brings the index up to date behind them,
`Library` shows both as one list. Documents of the configured folders are listed and never touched.
"""
