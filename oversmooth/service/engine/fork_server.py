"""The process that worker processes are forked from, started as ``python -m oversmooth.service.engine.fork_server``.

It imports torch and all else that a worker needs, once, and computes nothing: a worker forked from it is there at once
and shares the memory of what was imported. Requests come on the socket that is its standard input: ``fork`` with two
file descriptors, a worker's requests and answers, is answered by a process id, and a process id by the exit code of
that worker, or by nothing but a minus sign while it lives.
"""

import gc
import os
import socket
import warnings
from typing import Final, NoReturn

from oversmooth.service.engine import worker
from oversmooth.service.engine.launching import ALIVE, FORK, MESSAGE_BYTES
from oversmooth.service.hosting import current, logs, plugins

IDLE_SECONDS: Final = 1.0
"""How long nothing is asked for before what is needed later is imported."""


def main() -> NoReturn:
    """Fork workers until the engine closes its end."""
    control = socket.socket(fileno=os.dup(0))
    worker.nothing_to_read()
    logs.configure(current())
    plugins.permit()
    logs.silence_file_descriptors()
    import oversmooth.service.engine.service  # noqa: F401  what every worker needs, imported once

    # What is there by now stays: a collection that marked each object would copy its page for every worker.
    gc.collect()
    gc.freeze()
    control.settimeout(IDLE_SECONDS)
    while True:
        try:
            request, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 2)
        except TimeoutError:
            _import_writing()
            control.settimeout(None)
            continue
        if not request:
            os._exit(0)
        control.send(_forked(control, *descriptors) if request == FORK else _exit_code(int(request)))


def _import_writing() -> None:
    """What workers that write files need besides, so that the first of them is there as soon as the others are."""
    import oversmooth.service.engine.writing  # noqa: F401

    gc.collect()
    gc.freeze()


def _forked(control: socket.socket, requests: int, answers: int) -> bytes:
    """A new worker's process id."""
    with warnings.catch_warnings():
        # The only other thread here is of Arrow's allocator, which is made to be forked.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        control.close()
        os.setsid()
        worker.serve(os.fdopen(requests, "rb"), os.fdopen(answers, "wb"))
    os.close(requests)
    os.close(answers)
    return str(child).encode()


def _exit_code(child: int) -> bytes:
    ended, status = os.waitpid(child, os.WNOHANG)
    return str(os.waitstatus_to_exitcode(status)).encode() if ended else ALIVE


if __name__ == "__main__":
    main()
