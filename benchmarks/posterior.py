"""How long a posterior takes: every calibration of a study from an empty store; one is promised in under 10 min on 2 cores.

The study is copied, so that neither its store nor its report is touched. Only its calibrations run, each with all its runs
of the virtual instruments, least squares, posterior, predictions and sensitivities. On a machine that others use too, the
time on the processor, of all workers together, tells more than that of the clock.

Run: python benchmarks/posterior.py [--study studies/na-vn] [--only NAME] [--workers 2]
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

# one thread a process, said before any library starts its own
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("POLARS_MAX_THREADS", "1")

PROMISED_S = 600.0


def processor_s() -> float:
    """Return the time on the processor of this process and of all that have ended below it, s."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--study", type=Path, default=Path(__file__).parents[1] / "studies" / "na-vn")
    parser.add_argument("--only", help="the name of one calibration")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    from sodiophile.study.load import load_study
    from sodiophile.study.run import run

    names = [entry.name for entry in load_study(chosen.study).file.calibrations if chosen.only in {None, entry.name}]
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["SODIOPHILE_STORE"] = str(Path(scratch) / "empty")
        copy = Path(scratch) / "study"
        shutil.copytree(chosen.study, copy, ignore=shutil.ignore_patterns("results", ".sodiophile"))
        for name in names:
            begun, worked = time.perf_counter(), processor_s()
            outcome = run(copy, only=name, workers=chosen.workers, progress=False)
            wall, processor = time.perf_counter() - begun, processor_s() - worked
            jobs = [job for job in outcome.jobs if job.name == name]
            failed = [job.error for job in jobs if job.error]
            verdict = "held" if wall / len(jobs) < PROMISED_S else "MISSED"
            print(
                f"{name}: {len(jobs)} posteriors in {wall:.0f} s on {chosen.workers} workers, {processor:.0f} s of the "
                f"processor; promised {PROMISED_S:g} s each: {failed or verdict}",
                flush=True,
            )


if __name__ == "__main__":
    main()
