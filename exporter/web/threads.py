"""Work beside the event loop in daemon threads: asyncio's own would hold up the exit."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


async def in_daemon_thread(work: Callable[[], Result]) -> Result:
    """Awaits what may take long, or hang; raises whatever the work raises."""
    done: Future[Result] = Future()
    done.set_running_or_notify_cancel()  # a cancelled client does not end the work

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001  # because it is raised where the work is awaited
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(done)
