"""What tests ask about processes of the system."""

import psutil


def is_running(pid: int) -> bool:
    """Whether a process exists and is not a zombie that nobody has collected yet."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
