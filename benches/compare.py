#!/usr/bin/env python3
"""Rows and rates of compiled programs against the hand-written references, in one run, alternating.
A ratio above 1 means that the compiled program is faster. `late` is w2 over events that come up to 5 s late, and takes w2 over the same events in order
for its reference. `--backend both` compares the two backends instead: native takes the reference's place,
and `cascade`, `hourly` and `overdue` run over `flights.ndjson` in the folder of events, or the week of the examples. Floats may differ by 1e-9 of their size; the order of rows is left open."""
import argparse, json, math, os, pathlib, resource, statistics, subprocess, sys, tempfile, time

here = pathlib.Path(__file__).resolve().parent / "reference"
ap = argparse.ArgumentParser(description=__doc__)
ap.add_argument("workloads", nargs="*", default=["w1", "w2", "w4", "w5", "w6", "w7", "w8", "slide", "percentile", "session", "late"])
ap.add_argument("--varpulis", default="varpulis")
ap.add_argument("--reference", help="the built reference binary; default: builds it")
ap.add_argument("--events", type=int, default=2_000_000)
ap.add_argument("--runs", type=int, default=5)
ap.add_argument("--seed", default="42")
ap.add_argument("--backend", choices=["native", "jit", "both"], default="native")
ap.add_argument("--memory", action="store_true", help="the peak memory of a tumbling window over as many keys as events, beside that of the hand-written map, instead")
ap.add_argument("--min", type=float, default=0.0, help="exit 1 when a ratio is below this")
a = ap.parse_args()
tmp = pathlib.Path(os.environ.get("VARPULIS_COMPARE_DIR") or pathlib.Path(tempfile.gettempdir()) / "varpulis-compare")
tmp.mkdir(exist_ok=True)
ref = a.reference
if not ref:
    subprocess.run(["cargo", "build", "--release", "--quiet", "--target-dir", str(tmp / "target")], cwd=here, check=True)
    ref = str(tmp / "target/release/reference")
source = {"late": "w1", "w2": "w1", "w7": "w1", "slide": "w1", "percentile": "w1"}


def timed(cmd, out):
    with open(out, "wb") as f:
        t = time.perf_counter()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        p = subprocess.run(cmd, stdout=f, stderr=subprocess.PIPE)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if p.returncode:
        sys.exit(f"{' '.join(cmd)}: exit {p.returncode}: {p.stderr.decode()[-500:]}")
    return time.perf_counter() - t, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rows(path):
    """Each row's values but its floats, in an order of their own, and its floats."""
    def parts(line):
        row = sorted(json.loads(line).items())
        return json.dumps([(k, v) for k, v in row if not isinstance(v, float)]), [v for _, v in row if isinstance(v, float)]
    return sorted(parts(line) for line in open(path))


def same_row(a, b):
    return a[0] == b[0] and len(a[1]) == len(b[1]) and all(math.isclose(x, y, rel_tol=1e-9) for x, y in zip(a[1], b[1]))


def memory():
    """All of them read the events line by line, so that the file takes none."""
    data, program = tmp / f"keys-{a.events}-{a.seed}.ndjson", here / "programs" / "keys.vpl"
    if not data.exists():
        with open(data, "wb") as f:
            subprocess.run([ref, "gen", "keys", str(a.events), a.seed], stdout=f, check=True)
    subprocess.run([a.varpulis, "build", str(program), "-o", str(tmp / "keys")], check=True)
    commands = {
        "reference": [ref, "stream", "keys", str(data)],
        "native": [str(tmp / "keys"), "--input", str(data)],
        "jit": [a.varpulis, "run", str(program), "--backend", "jit", "--input", str(data)],
    }
    print(f"{'':10} {'rows':>10} {'peak MB':>8} {'cpu s':>7} {'ratio':>6}")
    first = None
    for name, command in commands.items():
        with open(tmp / "keys.out", "wb") as out:
            _, status, usage = os.wait4(subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL).pid, 0)
        if status:
            sys.exit(f"{' '.join(command)}: {status}")
        first = first or usage.ru_maxrss
        count = sum(1 for _ in open(tmp / "keys.out", "rb"))
        print(f"{name:10} {count:10} {usage.ru_maxrss / 1024:8.0f} {usage.ru_utime + usage.ru_stime:7.2f} {usage.ru_maxrss / first:6.2f}", flush=True)


if a.memory:
    memory()
    sys.exit()
examples = here.parents[1] / "examples" / "flights"
flights = ["cascade", "hourly", "overdue"]
low = False
print(f"{'':7} {'rows':>9} {('native' if a.backend == 'both' else 'reference') + ' s':>12} {('jit' if a.backend == 'both' else 'program') + ' s':>10} {'ratio wall':>10} {'ratio cpu':>10}")
for w in a.workloads:
    src = source.get(w, w)
    data = tmp / f"{src}-{a.events}-{a.seed}.ndjson"
    if w in flights:
        data = tmp / "flights.ndjson"
        data = data if data.exists() else examples / "flights-week.ndjson"
    if not data.exists():
        with open(data, "wb") as f:
            subprocess.run([ref, "gen", src, str(a.events), a.seed], stdout=f, check=True)
    program = here / "programs" / f"{w}.vpl"
    if w in flights:
        if a.backend != "both":
            sys.exit(f"{w} has no reference: compare its backends, with --backend both")
        program = examples / f"{w}.vpl"
    if w == "w7":
        program = tmp / "w7.vpl"
        program.write_bytes(subprocess.run([ref, "rules", "1000"], stdout=subprocess.PIPE, check=True).stdout)
    theirs_cmd = [ref, "run", w, str(data)]
    if w == "late":
        subprocess.run([a.varpulis, "build", str(here / "programs" / "w2.vpl"), "-o", str(tmp / "w2")], check=True)
        theirs_cmd = [str(tmp / "w2"), "--input", str(data)]
        data = tmp / f"late-{a.events}-{a.seed}.ndjson"
        if not data.exists():
            with open(data, "wb") as f:
                subprocess.run([ref, "jitter", theirs_cmd[2], "5000"], stdout=f, check=True)
    if a.backend != "jit":
        subprocess.run([a.varpulis, "build", str(program), "-o", str(tmp / w)], check=True)
        cmd = [str(tmp / w), "--input", str(data)]
    if a.backend == "both":
        theirs_cmd = cmd
    if a.backend != "native":
        cmd = [a.varpulis, "run", str(program), "--backend", "jit", "--input", str(data)]
    theirs, ours = [], []
    for _ in range(a.runs + 1):
        theirs.append(timed(theirs_cmd, tmp / "ref.out"))
        ours.append(timed(cmd, tmp / "our.out"))
    want, got = rows(tmp / "ref.out"), rows(tmp / "our.out")
    wall = statistics.median(t[0] / o[0] for t, o in zip(theirs[1:], ours[1:]))
    cpu = statistics.median(t[1] / o[1] for t, o in zip(theirs[1:], ours[1:]))
    other = next((g for g, x in zip(got, want) if not same_row(g, x)), None)
    same = "" if other is None and len(want) == len(got) else f"   ROWS DIFFER: {len(got)} instead of {len(want)}; first {str(other)[:120]}"
    low |= bool(same) or wall < a.min
    print(f"{w:7} {len(want):9} {statistics.median(t[0] for t in theirs[1:]):12.3f} {statistics.median(o[0] for o in ours[1:]):10.3f} {wall:10.2f} {cpu:10.2f}{same}", flush=True)
sys.exit(1 if low else 0)
