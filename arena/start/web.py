"""One web process, on a listening socket that its parent opened.

    python -m arena.start.web FILE_DESCRIPTOR

uvicorn's own `--fd` takes every socket for a Unix one, and then leaves Nagle's algorithm on: 40 ms more an answer.
"""

from __future__ import annotations

import os
import socket
import sys

import uvicorn


def main(descriptor: int) -> None:
    """Serves until told to stop."""
    proxies = os.environ.get("TRUSTED_PROXIES", "").strip()
    config = uvicorn.Config(
        "arena.asgi:application",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=4,
        ws_max_size=65_536,
        ws_per_message_deflate=False,  # frames are short: it would cost more than it saves, and memory a socket
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
