"""What a piece of work cost: wall clock, CPU of the processes that did it, memory, and what else ran meanwhile.

CPU seconds are what to compare on a shared machine.  A backend's come from the scheduler's nanosecond clock;
those of its parallel workers from the postmaster, which has reaped them (10 ms clock).  The postmaster's figure holds
whatever else ended in that server, so it is asked for only where workers may run.  Where /proc does not show a process
(a server elsewhere) the figure is None and printed as a dash.
"""
import contextlib
import glob
import json
import os
import resource
import threading
import time

import numpy as np

TICKS = os.sysconf("SC_CLK_TCK")


def proc_text(pid, name):
    with open("/proc/%s/%s" % (pid, name)) as file:
        return file.read()


def stat_fields(pid):
    """Fields of /proc/PID/stat from the state on: [1] parent, [11] utime, [12] stime, [13] cutime, [14] cstime."""
    return proc_text(pid, "stat").rsplit(")", 1)[1].split()


def busy_seconds():
    """CPU seconds that the whole machine has spent working."""
    fields = [int(field) for field in proc_text("", "stat").split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def memory_mib(pid, field):
    for line in proc_text(pid, "status").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    return None


def reset_peak(pid):
    """Sets the high-water mark of a process's memory to what it holds now, which is returned (MiB)."""
    with open("/proc/%s/clear_refs" % pid, "w") as file:
        file.write("5")
    return memory_mib(pid, "VmRSS")


def children(pid):
    try:
        return [int(child) for child in proc_text(pid, "task/%d/children" % pid).split()]
    except OSError:                     # a kernel that does not keep the list
        found = []
        for path in glob.glob("/proc/[0-9]*"):
            with contextlib.suppress(OSError):
                child = int(os.path.basename(path))
                if int(stat_fields(child)[1]) == pid:
                    found.append(child)
        return found


class TeamMemory(threading.Thread):
    """Memory of a backend and of its parallel workers together, looked at 50 times a second; .peak in MiB.

    Counted are the backend's anonymous memory above what it had at first, all anonymous memory of each worker, and
    each segment of dynamic shared memory that the backend has mapped since, once and in full.  .peak stays None where
    /proc does not tell.
    """

    def __init__(self, backend):
        super().__init__(daemon=True)
        self.backend, self.peak, self.done = backend, None, threading.Event()
        self.title = b"parallel worker for PID %d" % backend
        with contextlib.suppress(OSError):
            self.postmaster = int(stat_fields(backend)[1])
            self.known_segments = self.segments()
            self.held = memory_mib(backend, "RssAnon")
            self.start()

    def segments(self):
        lines = proc_text(self.backend, "maps").splitlines()
        return {line.split()[5] for line in lines if "/dev/shm/PostgreSQL." in line}

    def workers(self):
        for pid in children(self.postmaster):
            with contextlib.suppress(OSError):
                with open("/proc/%d/cmdline" % pid, "rb") as file:
                    if self.title in file.read():
                        yield memory_mib(pid, "RssAnon") or 0

    def look(self):
        total = memory_mib(self.backend, "RssAnon") - self.held + sum(self.workers())
        for segment in self.segments() - self.known_segments:
            with contextlib.suppress(OSError):
                total += os.stat(segment).st_size / 2 ** 20
        self.peak = max(self.peak or 0, total)

    def run(self):
        while not self.done.wait(0.02):
            with contextlib.suppress(OSError):
                self.look()

    def stop(self):
        self.done.set()
        if self.is_alive():
            self.join()


class Cost:
    """with Cost() as cost: ...   then .wall .cpu (this process) .foreign (CPU of all others, in cores) .peak

    With a connection, .backend is the CPU of its backend, .workers that of its parallel workers (0 unless workers is
    true), .server their sum, and .peak the backend's peak memory above what it held before, or the peak of TeamMemory
    when that is more; read the table in that backend first, since the pages of shared buffers that a process touches
    count as its own.
    """

    def __init__(self, conn=None, workers=False):
        self.pid = conn.info.backend_pid if conn else None
        self.with_workers = workers
        self.backend = self.workers = self.server = self.peak = self.team = None

    def own_cpu(self):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    def server_cpu(self):
        try:
            backend = int(proc_text(self.pid, "schedstat").split()[0]) / 1e9
            if not self.with_workers:
                return backend, 0.0
            time.sleep(0.1)             # what has just ended may not have been reaped yet
            reaped = stat_fields(stat_fields(self.pid)[1])
            return backend, (int(reaped[13]) + int(reaped[14])) / TICKS
        except (OSError, IndexError):
            return None

    def __enter__(self):
        pid = self.pid or "self"
        try:
            self.held = reset_peak(pid)
        except OSError:
            self.held = None
        self.server_before = self.server_cpu() if self.pid else None
        if self.pid and self.with_workers:
            self.team = TeamMemory(self.pid)
        self.busy, self.before, self.begin = busy_seconds(), self.own_cpu(), time.monotonic()
        return self

    def __exit__(self, *error):
        self.wall = time.monotonic() - self.begin
        if self.team:
            self.team.stop()
        self.cpu = self.own_cpu() - self.before
        busy = busy_seconds() - self.busy
        if self.server_before:
            self.backend, self.workers = np.subtract(self.server_cpu(), self.server_before).tolist()
            self.server = self.backend + self.workers
        known = self.cpu + (self.server or 0)
        self.foreign = max(0.0, busy - known) / max(self.wall, 1e-3)
        if self.held is not None:
            self.peak = memory_mib(self.pid or "self", "VmHWM") - self.held
            if self.team and self.team.peak is not None:
                self.peak = max(self.peak, self.team.peak)
        return False


def auc(truth, score):
    """Area under the ROC curve by ranks, ties shared."""
    order = np.argsort(score, kind="stable")
    _, first, count = np.unique(score[order], return_index=True, return_counts=True)
    rank = np.empty(len(score))
    rank[order] = np.repeat(first + (count + 1) / 2, count)
    positive = truth > 0.5
    n = int(positive.sum())
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * (len(score) - n)))


def log_loss(truth, probability):
    p = np.clip(np.asarray(probability, float), 1e-15, 1 - 1e-15)
    return float(-np.mean(np.where(truth > 0.5, np.log(p), np.log1p(-p))))


def median(values):
    values = [value for value in values if value is not None]
    return float(np.median(values)) if values else None


def paired_ratio(ours, theirs):
    """Median, least and greatest of the ratios of runs that stood next to each other; None without a pair."""
    ratios = [a / b for a, b in zip(ours, theirs) if a is not None and b]
    return (float(np.median(ratios)), min(ratios), max(ratios)) if ratios else None


def machine():
    model = [line.split(":")[1].strip() for line in proc_text("", "cpuinfo").splitlines()
             if line.startswith("model name")]
    return {"processor": model[0] if model else os.uname().machine, "cores": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30, 1),
            "load_before": round(os.getloadavg()[0], 2)}


def idle_check(seconds=1.0):
    """Cores used by others while this process sleeps."""
    before = busy_seconds()
    time.sleep(seconds)
    return (busy_seconds() - before) / seconds


class Log:
    """Measurements as JSON lines, appended to a file (one call a line)."""

    def __init__(self, path):
        self.path = path
        if path:
            os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)

    def add(self, record):
        record = {key: round(value, 6) if isinstance(value, float) else value for key, value in record.items()}
        if self.path:
            with open(self.path, "a") as file:
                file.write(json.dumps(record) + "\n")
        return record


def table_text(head, rows):
    """Aligned columns: the first to the left, numbers to the right, None as a dash."""
    cells = [head] + [["-" if cell is None else "%.2f" % cell if isinstance(cell, float) else str(cell)
                       for cell in row] for row in rows]
    width = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = []
    for row in cells:
        line = [row[0].ljust(width[0])] + [cell.rjust(size) for cell, size in zip(row[1:], width[1:])]
        lines.append("  ".join(line).rstrip())
    lines.insert(1, "  ".join("-" * size for size in width))
    return "\n".join(lines)
