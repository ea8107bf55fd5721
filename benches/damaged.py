#!/usr/bin/env python3
"""What damaged lines cost, and whether memory grows with the input, for a program of examples/flights over its week repeated.
Each week is moved behind the last. A damaged line is cut, or has a byte changed, or a number that is a text."""
import argparse, json, os, pathlib, random, statistics, subprocess, sys, time

root = pathlib.Path(__file__).resolve().parent.parent
ap = argparse.ArgumentParser(description=__doc__)
ap.add_argument("--varpulis", default=str(root / "target/release/varpulis"))
ap.add_argument("--program", default="hourly")
ap.add_argument("--events", type=int, default=1_000_000)
ap.add_argument("--damaged", type=float, default=0.1, help="the share of damaged lines")
ap.add_argument("--runs", type=int, default=7)
ap.add_argument("--small", type=int, default=10, help="MB, for memory")
ap.add_argument("--large", type=int, default=1000, help="MB, for memory")
ap.add_argument("--seed", type=int, default=1)
ap.add_argument("--folder", default=os.path.join(os.environ.get("CARGO_TARGET_DIR", str(root / "target")), "damaged"))
a = ap.parse_args()
folder = pathlib.Path(a.folder)
folder.mkdir(parents=True, exist_ok=True)
WEEK = 7 * 24 * 3600 * 1000
week = [line.rstrip("\n") for line in open(root / "examples/flights/flights-week.ndjson")]
heads = [line.split(',"ts":', 1) for line in week]
parts = [(head, int(rest.split(",", 1)[0]), "," + rest.split(",", 1)[1]) for head, rest in heads]


def lines():
    at = 0
    while True:
        for head, ts, rest in parts:
            yield f'{head},"ts":{ts + at}{rest}'
        at += WEEK


def damage(rng, line):
    kind = rng.randrange(3)
    if kind == 0:
        return line[:rng.randrange(1, len(line))]
    if kind == 1:
        at = rng.randrange(len(line))
        return line[:at] + "\x01" + line[at + 1:]
    return line.replace('"delay":', '"delay":"x",', 1) if '"delay":' in line else line[:-1]


def generate(path, enough, share):
    if path.exists():
        return path
    rng, size, count, made = random.Random(a.seed), 0, 0, []
    with open(path.with_suffix(".part"), "w") as f:
        for line in lines():
            made.append((damage(rng, line) if rng.random() < share else line) + "\n")
            size, count = size + len(made[-1]), count + 1
            if len(made) == 100_000 or enough(size, count):
                f.writelines(made)
                made.clear()
            if enough(size, count):
                break
    return path.with_suffix(".part").rename(path)


def peak(pid):
    """Peak memory of a running process in MB. What the system says of one that ended counts the memory of its parent before `exec`."""
    try:
        status = open(f"/proc/{pid}/status").read()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def run(data, watch=False):
    """Seconds of processor, seconds, peak memory in MB if it is watched, summary."""
    command = [str(folder / a.program), "--input", str(data), "--output", str(folder / "rows"), "--stats", "json"]
    command += ["--dead-letter", str(folder / "dead")]
    with open(folder / "said", "wb+") as said:
        start = time.perf_counter()
        process = subprocess.Popen(command, stderr=said)
        most = 0
        while watch and os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            most = max(most, peak(process.pid))
            time.sleep(0.001)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        said.seek(0)
        text = said.read().decode()
    if status:
        sys.exit(f"{' '.join(command)}: {status}: {text[-500:]}")
    summary = json.loads(text.splitlines()[-1])
    if summary["in"] != sum(summary[k] for k in ("consumed", "skipped", "late", "invalid")):
        sys.exit(f"the summary does not close: {summary}")
    return usage.ru_utime + usage.ru_stime, seconds, most, summary


subprocess.run([a.varpulis, "build", str(root / f"examples/flights/{a.program}.vpl"), "-o", str(folder / a.program)], check=True)
clean = generate(folder / f"clean-{a.events}.ndjson", lambda _, count: count == a.events, 0)
bad = generate(folder / f"damaged-{a.events}-{a.damaged}-{a.seed}.ndjson", lambda _, count: count == a.events, a.damaged)
results = {clean: [], bad: []}
for _ in range(a.runs):
    for data in results:
        results[data].append(run(data))
rates = {}
for name, data in (("clean", clean), ("damaged", bad)):
    cpu, wall = (statistics.median(r[i] for r in results[data]) for i in (0, 1))
    summary = results[data][0][3]
    if summary["in"] != a.events:
        sys.exit(f"{name}: {summary['in']} records of {a.events}")
    rates[name] = (data.stat().st_size / 1e6 / cpu, a.events / cpu)
    print(f"{name:8} {data.stat().st_size / 1e6:6.0f} MB {cpu:6.3f} s cpu {wall:6.3f} s {rates[name][0]:6.0f} MB/s {rates[name][1]:12,.0f} events/s  "
          f"invalid {summary['invalid']:,}, rows {summary['rows']:,}")
print(f"damaged: {rates['damaged'][1] / rates['clean'][1]:.2f} of the clean rate")
for share in (0, a.damaged):
    for size in (a.small, a.large):
        data = generate(folder / f"{size}MB-{share}-{a.seed}.ndjson", lambda made, _, size=size: made >= size * 1_000_000, share)
        _, _, most, summary = run(data, watch=True)
        print(f"{size:6} MB, {share:.0%} damaged: peak {most:.1f} MB, {summary['in']:,} records, {summary['invalid']:,} invalid")
        if size == a.large and size > 100:
            data.unlink()
