#!/usr/bin/env python3
"""What compiling costs, for programs of several sizes: lines of generated Rust, milliseconds from text to Rust tokens (the work of the macro), and
seconds and peak memory of rustc, with and without optimization. The runtime is compiled before anything is measured."""
import argparse, os, pathlib, random, subprocess, sys, tempfile, time

root = pathlib.Path(__file__).resolve().parent.parent
ap = argparse.ArgumentParser(description=__doc__)
ap.add_argument("--varpulis", default="varpulis", help="the command, built with --release")
ap.add_argument("--streams", type=int, nargs="*", default=[1, 10, 100])
ap.add_argument("--print", type=int, metavar="N", help="prints the program of N streams and ends")
ap.add_argument("--tokens", action="store_true", help="measures text to tokens only")
a = ap.parse_args()


def program(streams, salt):
    """Filters, windows, sequences, sliding windows and first-of-many in turn; `salt` makes it one that no cache knows."""
    text = f"event Trade:\n    symbol: str\n    price: float\n    volume: int\nevent Quote:\n    symbol: str\n    bid: float\n"
    text += f"stream Quotes = Quote.where(bid > {salt}.5).emit(symbol)\n"
    kinds = [
        lambda i: f"A{i} = Trade.where(price > {i}.5 and volume > {salt}).emit(symbol, notional: price * volume + {i}.0)",
        lambda i: f"B{i} = Trade.where(volume > {i}).partition_by(symbol).window({i + 1}s).aggregate(n: count(), v: sum(volume), m: avg(price), hi: max(price))",
        lambda i: f"C{i} = Trade as a -> Quote where bid > a.price * 1.0{i} and symbol == a.symbol as b .within({i + 1}s).emit(symbol: a.symbol, p: a.price, b: b.bid)",
        lambda i: f"D{i} = Trade.partition_by(symbol).window({i + 5}m, sliding: 1m).aggregate(n: count(), s: stddev(price))",
        lambda i: f"E{i} = Quote.distinct(symbol, within: {i}s).select(symbol, x: bid * {i}.0).emit(symbol, x)",
    ]
    return text + "".join(f"stream {kinds[i % 5](i)}\n" for i in range(streams - 1))


def measured(command, **options):
    """Seconds, seconds of all processors, and the peak memory in MB of the largest process below."""
    start = time.perf_counter()
    child = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command}: {said.decode()[-2000:]}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def tokens(files, profile):
    command = ["cargo", "run", "--quiet", "-p", "varpulis-bench-tokens", *profile, "--", *map(str, files)]
    return subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout.decode().split()


if a.print:
    print(program(a.print, 1), end="")
    sys.exit()
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    salt = random.randrange(10**5, 10**6)
    files = []
    for streams in a.streams:
        files.append(folder / f"p{streams}.vpl")
        files[-1].write_text(program(streams, salt))
    print("text to tokens, ms    " + "  ".join(f"{n} streams" for n in a.streams))
    for name, profile in [("debug", []), ("release", ["--release"])]:
        print(f"{name:21} " + "  ".join(f"{ms:>{len(str(n)) + 8}}" for n, ms in zip(a.streams, tokens(files, profile))), flush=True)
    if a.tokens:
        sys.exit()
    project, target = folder / "project", dict(os.environ, CARGO_TARGET_DIR=str(folder / "target"))

    def build(file):
        release = measured([a.varpulis, "build", file, "-o", folder / "program", "--keep", project])
        return release, measured(["cargo", "build", "--quiet"], cwd=project, env=target)

    warm = folder / "warm.vpl"
    warm.write_text(program(1, salt + 1))
    build(warm)
    print(f"{'streams':>7} {'lines':>7} {'debug s':>8} {'cpu s':>6} {'MB':>5} {'release s':>10} {'cpu s':>6} {'MB':>5}")
    for streams, file in zip(a.streams, files):
        rust = subprocess.run([a.varpulis, "emit", str(file)], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        release, debug = build(file)
        (a_wall, a_cpu, a_mb), (b_wall, b_cpu, b_mb) = debug, release
        print(f"{streams:7} {rust.count(10):7} {a_wall:8.1f} {a_cpu:6.1f} {a_mb:5.0f} {b_wall:10.1f} {b_cpu:6.1f} {b_mb:5.0f}", flush=True)
