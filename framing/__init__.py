"""framing: labels the sentences of news articles by how they frame what they tell, and points at the words.

>>> from framing import FramingClassifier
>>> result = FramingClassifier.from_pretrained().score("The ministry said the bridge was intact.")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from framing.articles import Article
    from framing.classifier import FramingClassifier
    from framing.errors import FramingError
    from framing.results import ArticleResult, Evidence, SentenceResult

__all__ = ["Article", "ArticleResult", "Evidence", "FramingClassifier", "FramingError", "SentenceResult", "__version__"]

_HOMES = {
    "Article": "articles",
    "ArticleResult": "results",
    "Evidence": "results",
    "FramingClassifier": "classifier",
    "FramingError": "errors",
    "SentenceResult": "results",
}


def __getattr__(name: str) -> Any:
    """Public names are imported at first use, so that `import framing` answers at once."""
    if name not in _HOMES:
        raise AttributeError(f"module 'framing' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"framing.{_HOMES[name]}"), name)
