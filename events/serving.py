"""The server of web sockets: one event loop, in a process of its own."""

import asyncio
import logging
import os
import resource
import signal
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

from django.db import Error
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from events.handshake import Doorkeeper, Listener
from events.hearing import hear_all
from events.hub import Hub

logger = logging.getLogger(__name__)

LARGEST_MESSAGE = 1024  # bytes that a client may send at once; nothing that it says is listened to
MOST_MESSAGES = 100  # from one client
LARGEST_BACKLOG = 1024 * 1024  # bytes that wait for a client which does not read
PING_SECONDS = 30
PONG_SECONDS = 300  # patience with clients that only answer while they wait for an event
CLOSE_SECONDS = 2
AGAIN_SECONDS = 1  # before what the database broke off goes on


async def serve_events(host: str, port: int) -> None:
    """Serve events until SIGTERM or SIGINT.

    Raises:
        OSError: the address is in use.
        AlreadyHeard: another process serves the events of this service.
    """
    raise_file_limit()
    hub = Hub()
    doorkeeper = Doorkeeper(hub)
    server = await serve(
        lambda socket: listen(hub, socket),
        host,
        port,
        ssl=tls(),
        create_connection=Listener,
        process_request=doorkeeper.admit,
        server_header=None,
        compression=None,  # takes more memory for each client than all the rest
        max_size=LARGEST_MESSAGE,
        max_queue=1,
        write_limit=LARGEST_BACKLOG,
        ping_interval=PING_SECONDS,
        ping_timeout=PONG_SECONDS,
        close_timeout=CLOSE_SECONDS,
    )
    logger.info("serving events", extra={"host": host, "port": port})
    try:
        await until_told_to_stop(
            hear_all(hub.hear),
            hub.send_changes(),
            again_and_again(hub.end_logins),
            again_and_again(hub.sweep),
        )
    finally:
        await close(server)


async def close(server: Server) -> None:
    """Close all sockets in good form, and wait for no client and no database beyond that."""
    server.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(2 * CLOSE_SECONDS):
            await server.wait_closed()


def tls() -> ssl.SSLContext | None:
    """Return what sockets are encrypted with: the certificate that the web server has, if any.

    Raises:
        OSError: it cannot be read.
    """
    certificate = os.environ.get("GRANIAN_SSL_CERTIFICATE")
    if not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, os.environ.get("GRANIAN_SSL_KEYFILE"))
    return context


async def listen(hub: Hub, socket: ServerConnection) -> None:
    """Keep a client among those who listen; what it says counts, and is forgotten."""
    login = cast(Listener, socket).login
    if not hub.has_room(login.user):  # others may have come since it was let in
        await socket.close(CloseCode.TRY_AGAIN_LATER, "You have too many sockets open.")
        return
    hub.join(socket, login)
    logger.info("a client listens", extra={"user": login.user})
    try:
        for _ in range(MOST_MESSAGES):
            await socket.recv()
        await socket.close(CloseCode.POLICY_VIOLATION, "Too many messages.")
    except ConnectionClosed:
        pass
    finally:
        hub.leave(socket, login)


async def again_and_again(work: Callable[[], Awaitable[None]]) -> None:
    """Do work that never ends; go on with it when the database broke it off."""
    while True:
        try:
            await work()
        except Error as error:
            logger.warning("events: %s", error)
            await asyncio.sleep(AGAIN_SECONDS)


async def until_told_to_stop(*works: Awaitable[Any]) -> None:
    """Do all of this until SIGTERM or SIGINT; what fails ends it all, for a supervisor to see."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    tasks = [asyncio.ensure_future(work) for work in (told.wait(), *works)]
    ended, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    for task in ended:
        task.result()


def raise_file_limit() -> None:
    """Allow as many open files, and so clients, as the system does."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
