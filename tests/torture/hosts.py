"""Train on four hosts with a slow network between them, and compare with one process; then kill
one of the hosts: sudo python tests/torture/hosts.py [--rate 100mbit] [--delay 5ms]

The hosts are network namespaces of this machine, joined by a bridge; tc makes their links slow. It
needs root, the commands ip, tc and unshare, and the extra mpi. Exit code 1 if a number differs,
what went over the links is too little to be all, or a process outlives its host by 10 seconds.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from minigrad.checkpoint import load  # noqa: E402

HOSTS = [f"mg-host{i}" for i in range(1, 5)]
SWITCH = "mg-switch"
ADDRESSES = {host: f"10.77.0.{i}" for i, host in enumerate(HOSTS, 1)}
RUN = "--dataset names --n-layer 2 --n-head 2 --n-embd 64 --block-size 32 --batch-size 10"
RUN += " --dropout 0.1 --optimizer muon --eval-interval 10 --eval-iters 2"
SHELL = """#!/bin/sh
# what ssh would be: [-x] HOST COMMAND..., in the namespace of that host and under its name
[ "$1" = -x ] && shift
host=mg-host${1##*.}; shift
exec ip netns exec "$host" unshare --uts sh -c "hostname $host; exec $*"
"""


def run(command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command.split(), capture_output=True, text=True)


def sh(command: str, check: bool = True) -> str:
    done = run(command)
    if check and done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.strip()}")
    return done.stdout


def slowness(rate: str, delay: str) -> str:
    """What tc does to a link. Not every kernel can make it late, too."""
    late = f"netem rate {rate} delay {delay}"
    if run(f"tc -n {SWITCH} qdisc add dev lo root {late}").returncode == 0:
        return late
    print(f"this kernel has no netem: links of {rate}, but without a delay")
    return f"tbf rate {rate} burst 32kb latency 400ms"


def plug_in(rate: str, delay: str) -> None:
    """A switch, and a cable from it to each host, slow in both directions."""
    sh(f"ip netns add {SWITCH}")
    slow = slowness(rate, delay)
    sh(f"ip -n {SWITCH} link add bridge type bridge")
    sh(f"ip -n {SWITCH} link set bridge up")
    for host, address in ADDRESSES.items():
        sh(f"ip netns add {host}")
        sh(f"ip -n {host} link add eth0 type veth peer name {host} netns {SWITCH}")
        sh(f"ip -n {host} addr add {address}/24 dev eth0")
        sh(f"ip -n {SWITCH} link set {host} master bridge")
        for namespace, link in ((host, "lo"), (host, "eth0"), (SWITCH, host)):
            sh(f"ip -n {namespace} link set {link} up")
        for namespace, link in ((host, "eth0"), (SWITCH, host)):
            sh(f"tc -n {namespace} qdisc add dev {link} root {slow}")


def unplug() -> None:
    for namespace in (*HOSTS, SWITCH):
        for pid in sh(f"ip netns pids {namespace}", check=False).split():
            sh(f"kill -9 {pid}", check=False)
        sh(f"ip netns delete {namespace}", check=False)


def sent() -> list[int]:
    """The bytes that each host has sent."""
    links = [sh(f"ip -n {host} -s -s link show eth0") for host in HOSTS]
    return [int(re.search(r"TX:.*\n\s*(\d+)", text)[1]) for text in links]


def start(shell: Path, out_dir: Path, *options: str) -> subprocess.Popen:
    """A run of four processes, each on its host; mpiexec is on the first."""
    mpiexec = Path(sys.executable).with_name("mpiexec")
    command = f"ip netns exec {HOSTS[0]} {mpiexec} -launcher ssh -launcher-exec {shell}"
    command += f" -localhost none -iface eth0 -hosts {','.join(ADDRESSES.values())} -n 4"
    command += f" {sys.executable} -m minigrad.train {RUN} --out-dir {out_dir}"
    network = {"UCX_TLS": "tcp,self", "UCX_NET_DEVICES": "eth0"}  # no memory that hosts share
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", **network}
    return subprocess.Popen(
        [*command.split(), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def compare(shell: Path, place: Path, steps: int) -> list[str]:
    """What is wrong with a run of four hosts, beside that of one process."""
    length = ["--max-iters", str(steps)]
    alone = [sys.executable, "-m", "minigrad.train", *RUN.split(), "--out-dir", str(place / "one")]
    subprocess.run([*alone, *length], cwd=ROOT, check=True, capture_output=True)
    before, began = sent(), time.perf_counter()
    process = start(shell, place / "four", *length)
    output, _ = process.communicate(timeout=300)
    if process.returncode:
        return [f"exit code {process.returncode}: {output}"]
    seconds = time.perf_counter() - began
    one, four = (load(place / name / "latest.pkl") for name in ("one", "four"))
    losses = [[entry["val_loss"] for entry in state["history"]] for state in (one, four)]
    bias = [f"transformer.h.{i}.attn.c_attn.bias" for i in range(2)]  # that of the keys is rounding
    gaps = {name: np.abs(one["model"][name] - four["model"][name]).max() for name in one["model"]}
    gap = max(gaps[name] for name in gaps if name not in bias)
    traffic = [after - before for before, after in zip(before, sent())]
    size = sum(array.nbytes for array in one["model"].values())
    print(f"{steps} steps on 4 hosts in {seconds:.1f} s; weights differ by {gap:.1e}, losses by")
    print(f"{np.abs(np.subtract(*losses)).max():.1e}; MB sent by each: ", end="")
    print(", ".join(f"{n / 1e6:.1f}" for n in traffic), f"for a model of {size / 1e6:.2f} MB")
    wrong = ["the numbers differ"] if max(gap, np.abs(np.subtract(*losses)).max()) > 1e-5 else []
    return wrong + ["little traffic"] * (min(traffic) < steps * size)


def lose(shell: Path, place: Path, host: str) -> list[str]:
    """What is wrong when a host is lost in the middle of a run."""
    process = start(shell, place / host, "--max-iters", "100000")
    for line in process.stdout:
        if "step 10:" in line:
            break
    killed = sh(f"ip netns pids {host}").split()
    began = time.perf_counter()
    sh(f"kill -9 {' '.join(killed)}")
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        return [f"{host} is lost, and the others go on"]
    while left := [pid for name in HOSTS for pid in sh(f"ip netns pids {name}").split()]:
        if time.perf_counter() - began > 20:
            break
    seconds = time.perf_counter() - began
    step = load(place / host / "latest.pkl")["step"]
    print(f"{host} lost: all ended after {seconds:.1f} s with code {process.returncode};", end=" ")
    print(f"the checkpoint of step {step} is whole")
    wrong = [f"{host} is lost, and {len(left)} processes are left"] if left else []
    return wrong + ["took too long"] * (seconds > 10) + ["code 0"] * (process.returncode == 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--rate", default="100mbit")
    parser.add_argument("--delay", default="5ms")
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    if os.geteuid():
        parser.error("this needs root, to make network namespaces")
    unplug()
    with tempfile.TemporaryDirectory() as folder:
        place, shell = Path(folder), Path(folder, "shell")
        shell.write_text(SHELL)
        shell.chmod(0o755)
        try:
            plug_in(args.rate, args.delay)
            wrong = compare(shell, place, args.steps)
            for host in () if wrong else (HOSTS[2], HOSTS[0]):
                wrong += lose(shell, place, host)
        finally:
            unplug()
    print(f"wrong: {'; '.join(wrong) or 'nothing'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
