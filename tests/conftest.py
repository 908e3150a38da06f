"""What every test may use."""

import os

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# The machine's own settings must not reach the tests.
for name in [name for name in os.environ if name.startswith("RAG_")]:
    del os.environ[name]


@pytest.fixture(scope="session")
def embedding_cache(tmp_path_factory):
    """A cache with the real embedding model; converted once a run, in the run's own folder."""
    from rag.retrieve.embed import load_encoder

    cache = tmp_path_factory.mktemp("models")
    load_encoder(cache=cache)
    return cache


@pytest.fixture(scope="session")
def encoder(embedding_cache):
    """The real embedding model."""
    from rag.retrieve.embed import load_encoder

    return load_encoder(cache=embedding_cache)
