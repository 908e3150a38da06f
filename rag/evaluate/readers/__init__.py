"""One module a format: each turns files into questions and documents."""
