"""The browser side: FastAPI, the chat page, rendering and every text a person reads."""
