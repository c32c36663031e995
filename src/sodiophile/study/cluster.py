"""Where tasks run: a cluster of processes of our own on this machine, or the scheduler that the user names."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sodiophile.errors import InputError

# One task has one core; without this every process would start as many threads as there are cores.
_THREAD_COUNTS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
_CONNECT_S = 15
_NOISY = ("distributed", "tornado", "asyncio")


def cores() -> int:
    """Return how many cores this process may use."""
    from dask.system import CPU_COUNT

    return int(CPU_COUNT)


@contextmanager
def client_for(workers: int, scheduler: str | None) -> Iterator[Any]:
    """Yield a `distributed.Client`.

    Parameters
    ----------
    workers
        Processes of an own cluster.
    scheduler
        The address of a scheduler to use instead.

    Raises
    ------
    InputError
        If no scheduler answers at the address.
    """
    with _quiet():
        if scheduler is not None:
            with _connected(scheduler) as client:
                yield client
        else:
            with _own_cluster(workers) as client:
                yield client


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    from distributed import Client
    from distributed.comm.addressing import get_address_host_port

    try:
        # a client that is given no address of a known form waits long to fail, and complains when it is thrown away
        get_address_host_port(address)
    except (ValueError, TypeError, NotImplementedError) as error:
        message = f"is no address of a Dask scheduler ({error}); expected one such as 'tcp://host:8786'"
        raise InputError(message, f"scheduler {address}") from None
    try:
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError, TypeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"no Dask scheduler answers: {reason[:200]}", f"scheduler {address}") from None
    with client:
        yield client


@contextmanager
def _own_cluster(workers: int) -> Iterator[Any]:
    import dask
    from distributed import Client, LocalCluster

    config = {
        "distributed.nanny.pre-spawn-environ": {**dict.fromkeys(_THREAD_COUNTS, "1"), "MALLOC_TRIM_THRESHOLD_": "65536"},
        # a worker that dies takes its task with it: a task that kills two is at fault itself
        "distributed.scheduler.allowed-failures": 1,
        # a task that holds the interpreter for long sends no heartbeat, and is alive all the same
        "distributed.scheduler.worker-ttl": None,
        "distributed.worker.profile.enabled": False,
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "distributed.comm.timeouts.connect": "60s",
    }
    with dask.config.set(config), _environment_kept(), _main_hidden():
        with _interrupts_held() as interrupts:
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                scheduler_port=0,
                # without an address it would ask for the usual port on all interfaces
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                memory_limit=0,
                silence_logs=logging.CRITICAL,
                preload=["sodiophile.study.work"],
            )
        try:
            if interrupts:
                raise KeyboardInterrupt
            with Client(cluster, set_as_default=False) as client:
                yield client
        except BaseException:
            _kill_workers(cluster)
            raise
        finally:
            try:
                cluster.close(timeout=10)
            except TimeoutError:
                # on a machine with too much to do; all work is done and kept
                _kill_workers(cluster)


def _kill_workers(cluster: Any) -> None:
    """End the workers at once: what they were at is kept in their work folders, and waiting would only lose time."""
    for nanny in list(cluster.workers.values()):
        nanny.auto_restart = False
        if nanny.pid is not None:
            with suppress(OSError):
                os.kill(nanny.pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)


@contextmanager
def _interrupts_held() -> Iterator[list[int]]:
    """Note Ctrl-C instead of stopping at once: half a cluster cannot be closed.

    Processes started meanwhile do not hear of it at all; we end them.
    """
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # started with the first process, it would undo the mask
    former = signal.signal(signal.SIGINT, lambda number, _: noted.append(number))
    # a signal mask is inherited by threads and processes
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield noted
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, former)


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Undo what Dask sets in our own environment for the processes that it starts."""
    kept = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(kept):
            del os.environ[name]
        os.environ.update(kept)


@contextmanager
def _main_hidden() -> Iterator[None]:
    """Keep worker processes from running the user's script once more.

    A process started by `multiprocessing` imports the main module of its parent, so that a script that runs a study
    without ``if __name__ == "__main__"`` would start itself again without end. No task needs that module.
    """
    kept = sys.modules["__main__"]
    stand_in = types.ModuleType("__main__")
    sys.modules["__main__"] = stand_in
    try:
        yield
    finally:
        sys.modules["__main__"] = kept


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what Dask logs about its own housekeeping; what concerns the user is said in our words."""
    import distributed  # noqa: F401  it gives levels to its loggers when it is imported

    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in _NOISY]
    loggers = [logging.getLogger(name) for name in {*names, *_NOISY}]
    kept = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, kept, strict=True):
            logger.setLevel(level)
