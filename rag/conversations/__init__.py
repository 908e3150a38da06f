"""What people asked and were answered, kept on this server, each person's own.

`Database` is the file, `ConversationStore` the conversations, `FeedbackStore` what people said of
an answer and what became of it. Who somebody is, is decided elsewhere: here a person is an opaque
string, and no query goes without it.
"""
