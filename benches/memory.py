#!/usr/bin/env python3
"""The peak memory of a tumbling window over so many keys, beside that of the hand-written map; both read the events line by line."""
import argparse, os, pathlib, subprocess, sys, tempfile

here = pathlib.Path(__file__).resolve().parent / "reference"
ap = argparse.ArgumentParser(description=__doc__)
ap.add_argument("--varpulis", default="varpulis")
ap.add_argument("--reference", help="the built reference binary; default: builds it")
ap.add_argument("--keys", type=int, default=10_000_000)
a = ap.parse_args()
tmp = pathlib.Path(os.environ.get("VARPULIS_COMPARE_DIR") or pathlib.Path(tempfile.gettempdir()) / "varpulis-compare")
tmp.mkdir(exist_ok=True)
ref = a.reference
if not ref:
    subprocess.run(["cargo", "build", "--release", "--quiet", "--target-dir", str(tmp / "target")], cwd=here, check=True)
    ref = str(tmp / "target/release/reference")
data = tmp / f"keys-{a.keys}-42.ndjson"
if not data.exists():
    with open(data, "wb") as f:
        subprocess.run([ref, "gen", "keys", str(a.keys), "42"], stdout=f, check=True)
program = here / "programs" / "keys.vpl"
subprocess.run([a.varpulis, "build", str(program), "-o", str(tmp / "keys")], check=True)


def peak(cmd):
    """MB, and seconds of CPU."""
    with open(tmp / "keys.out", "wb") as out:
        p = subprocess.Popen(cmd, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(p.pid, 0)
    if status:
        sys.exit(f"{' '.join(cmd)}: {status}")
    rows = sum(1 for _ in open(tmp / "keys.out", "rb"))
    return usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime, rows


print(f"{'':10} {'rows':>10} {'peak MB':>8} {'cpu s':>7} {'ratio':>6}")
first = None
for name, cmd in [
    ("reference", [ref, "stream", "keys", str(data)]),
    ("native", [str(tmp / "keys"), "--input", str(data)]),
    ("jit", [a.varpulis, "run", str(program), "--backend", "jit", "--input", str(data)]),
]:
    mb, cpu, rows = peak(cmd)
    first = first or mb
    print(f"{name:10} {rows:10} {mb:8.0f} {cpu:7.2f} {mb / first:6.2f}", flush=True)
