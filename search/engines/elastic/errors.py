"""What Elasticsearch and its client complain of, in the words of the engines' contract."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from elasticsearch import ApiError, ConnectionTimeout, SSLError, TransportError, UnsupportedProductError

from search.engines.base import EngineError, EngineUnavailable, IndexMissing

INDEX_MISSING = {"index_not_found_exception", "aliases_not_found_exception"}
BLOCKED = "cluster_block_exception"
_TEMPORARY = {408, 429}


@contextmanager
def translated() -> Iterator[None]:
    """
    :raises EngineUnavailable: when no answer came, or one that says nothing about the request
    :raises IndexMissing: when the index or alias is not there
    :raises EngineError: when the request itself was refused
    """
    try:
        yield
    except UnsupportedProductError as error:
        raise EngineUnavailable("What answers at SEARCH_URL is not Elasticsearch.") from error
    except ApiError as error:
        raise error_in(error.status_code, error.body) from error
    except ConnectionTimeout as error:
        raise EngineUnavailable("Elasticsearch did not answer in time (SEARCH_TIMEOUT).") from error
    except SSLError as error:
        raise EngineUnavailable(
            f"Elasticsearch's certificate is not trusted. Set SEARCH_CA_CERTS to its authority's: {error.message}"
        ) from error
    except TransportError as error:
        raise EngineUnavailable(f"No connection to Elasticsearch: {error.message}") from error


def error_in(status: int, body: object) -> EngineError:
    """The error that an answer with this status and body means."""
    kind, reason = _cause(body)
    if kind in INDEX_MISSING:
        return IndexMissing(f"The index has gone from Elasticsearch ({reason}). Build a new generation.")
    if status == 401:
        return EngineUnavailable("Elasticsearch refused the user name or password. Correct them in SEARCH_URL.")
    if kind == BLOCKED:
        return EngineUnavailable(block_remedy(reason))
    if status == 403:
        return EngineUnavailable(f"Elasticsearch does not allow this to the user in SEARCH_URL: {reason}")
    if status in _TEMPORARY or status >= 500:
        return EngineUnavailable(f"Elasticsearch cannot answer now (status {status}): {reason}")
    return EngineError(f"Elasticsearch refused the request: {reason}")


def block_remedy(reason: str) -> str:
    """What to do about a read-only index; Elasticsearch blocks one by itself when the disk is nearly full."""
    return (
        f"Elasticsearch takes no writes: {reason.rstrip(';')}. Free disk space; if the index stays blocked, set its "
        "index.blocks.read_only_allow_delete to null."
    )


def _cause(body: object) -> tuple[str, str]:
    """The type and the reason of the innermost cause that has them."""
    error = body.get("error") if isinstance(body, Mapping) else body
    if not isinstance(error, Mapping):
        return "", str(error or "no reason given")[:500]
    cause: Mapping[str, Any] = next(iter(error.get("root_cause") or []), error)
    return str(cause.get("type", "")), str(cause.get("reason", "no reason given"))
