"""Advisory locks: one writer at a time, where the system knows POSIX locks; elsewhere nobody."""

from io import FileIO


def lock(file: FileIO) -> bool:
    """Take the lock of an open file until it is closed, and tell whether it was free."""
    try:
        import fcntl  # POSIX only
    except ImportError:
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
