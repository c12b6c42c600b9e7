"""The certificates to believe in: 35 ms to read, so once for all hosts of a client."""

from __future__ import annotations

import ssl

import httpx


class Trust:
    """TLS contexts as httpx makes them, each made when it is first wanted."""

    def __init__(self) -> None:
        self._contexts: dict[bool, ssl.SSLContext] = {}

    def context(self, *, environment: bool) -> ssl.SSLContext:
        """With `environment` SSL_CERT_FILE and SSL_CERT_DIR win over the certificates that httpx brings."""
        if environment not in self._contexts:
            self._contexts[environment] = httpx.create_ssl_context(trust_env=environment)
        return self._contexts[environment]
