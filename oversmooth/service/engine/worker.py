"""The worker process: forked by :mod:`oversmooth.service.engine.fork_server`, or a program of its own (``-m``).

As a program of its own it reads requests from standard input and writes answers to standard output; whatever else is
printed goes to standard error.
"""

import os
import sys
from typing import IO, NoReturn

from oversmooth.service.engine.messages import Start, StartWriting, receive
from oversmooth.service.engine.serving import Inbox
from oversmooth.service.hosting import current, logs, plugins


def main() -> NoReturn:
    """Serve the engine at the other end of standard input and output."""
    requests, answers = private_pipes()
    logs.configure(current())
    plugins.permit()
    logs.silence_file_descriptors()
    serve(requests, answers)


def serve(requests: IO[bytes], answers: IO[bytes]) -> NoReturn:
    """Serve the engine at the other end of these, until it closes them or a run leaves this process in doubt."""
    start = receive(requests)
    if not isinstance(start, Start | StartWriting):
        os._exit(0)  # The engine is gone already.
    limit_memory(start.memory_bytes)
    inbox = Inbox(requests)
    # Only now that the end of the engine is noticed: where it was not imported before the fork, it takes seconds.
    if isinstance(start, Start):
        from oversmooth.service.engine.service import Service

        Service(inbox, answers, start).work()
    else:
        from oversmooth.service.engine.writing import Writing

        Writing(inbox, answers).work()
    # Not sys.exit: it would wait for a thread that never comes back.
    os._exit(0)


def limit_memory(most: int | None) -> None:
    """Have the system refuse this process more memory than that; where it cannot, the limit does not hold."""
    if most is not None and sys.platform == "linux":
        import resource

        # Of what is written to alone: torch reserves address space far beyond what it uses, and weights are mapped.
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Requests and answers: standard input and output, which nothing else in this process reaches from here on."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # A library that prints, in Python or below it, must not write into the answers, nor one that reads take requests.
    os.dup2(2, 1)
    nothing_to_read()
    return requests, answers


def nothing_to_read() -> None:
    """Have standard input end where it stands, for whoever reads it from here on."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


if __name__ == "__main__":
    main()
