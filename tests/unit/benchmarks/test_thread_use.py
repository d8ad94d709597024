from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from benchmarks.thread_use import thread_times, used_between


def test_the_time_of_a_thread_is_counted_under_its_name_without_numbers() -> None:
    over = threading.Event()

    def spin() -> None:
        ended = time.thread_time() + 0.2
        while time.thread_time() < ended:
            pass
        over.wait()

    before = thread_times(os.getpid())
    worker = threading.Thread(target=spin)
    worker.start()
    try:
        # Python 3.11 does not name threads for the system; they have the process's name.
        name = Path(f"/proc/self/task/{worker.native_id}/comm")
        name.write_text("spin-7", encoding="ascii")
        deadline = time.monotonic() + 30
        while dict(used := used_between(before, thread_times(os.getpid()))).get("spin-#", 0) < 0.15:
            assert time.monotonic() < deadline, used
            time.sleep(0.01)
    finally:
        over.set()
        worker.join()
