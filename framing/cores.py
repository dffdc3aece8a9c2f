"""The cores that this process may use, and how processes of one job share them."""

from __future__ import annotations

import os
from pathlib import Path

from framing.errors import warn


def available_cores() -> int:
    """Cores that this process may use: its affinity, less where a cgroup (v2 or v1) gives it a smaller quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _cgroup_cores() or cores))


def _cgroup_cores() -> int | None:
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota = Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except OSError:
            return None
    return None if quota in ("max", "-1") else max(1, round(int(quota) / int(period)))


def divide_cores(workers: int, threads: int = 0) -> tuple[int, int]:
    """Workers, and threads of each, such that they are no more than the cores that this process may use.

    Threads that were asked for (not 0) are taken as they are, and then the workers too.
    """
    cores = available_cores()
    if threads:
        return workers, threads
    if workers > cores:
        warn(f"{workers} workers would share {cores} cores; {cores} are used (--threads 1 insists)")
    workers = min(workers, cores)
    return workers, cores // workers
