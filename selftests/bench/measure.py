#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
The part of the benchmark that runs in the guest: brokers one after the other,
scenarios one after the other. Writes one line of JSON for each to stdout.
"""

import argparse
import glob
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import answers    # noqa: E402
import scenarios  # noqa: E402

WORK = "/tmp/bench"
PORT = 1883
START_SECONDS = 60
# For brokers that do not raise the limit themselves.
DESCRIPTORS = 100000
# In the guest's own time, which runs ahead while it waits for a file.
WAIT_SECONDS = 1000000
STEADY_BYTES = 65536
WALL_TURNS = 5
WALL_WAIT_SECONDS = 300

KMQTT_CONF = """listener 0 %s
listener %d 127.0.0.1
allow_anonymous true
max_inflight_messages 1000
max_queued_messages 0
max_queued_bytes 0
max_connections -1
log_type error
""" % (scenarios.SOCKET, PORT)

# A million subscriptions is more than it allows by itself.
KMQTT_SETTING = ["subscription_bytes_max", str(1 << 30)]

MOSQUITTO_CONF = """listener 0 %s
listener %d 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 1000
max_queued_messages 0
max_queued_bytes 0
persistence false
sys_interval 0
log_type error
user root
""" % (scenarios.SOCKET, PORT)


class Broker:
    """A program that serves; started for a row of scenarios."""

    def __init__(self, argv, module=None):
        self.module = module
        if module:
            subprocess.run(["insmod", module], check=True)
        self.log = open(os.path.join(WORK, "broker.log"), "w+")
        self.proc = subprocess.Popen(argv, stdout=self.log, stderr=self.log)
        why = answers.wait("127.0.0.1", PORT, START_SECONDS,
                           lambda: self.proc.poll() is None)
        if why:
            self.log.seek(0)
            sys.exit("%s does not serve: %s\n%s" %
                     (argv[0], why, self.log.read()))

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        self.proc.wait()
        if self.module:
            subprocess.run(["rmmod", "kmqtt"], check=True)


class Floor:
    """The bound in the kernel: a module, no program."""

    def __init__(self, module):
        subprocess.run(["insmod", module, "port=%d" % PORT], check=True)

    @staticmethod
    def stop():
        subprocess.run(["rmmod", "floor"], check=True)


def config(name, text):
    path = os.path.join(WORK, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def start(name, opts):
    relay = [os.path.join(WORK, "relay"), str(PORT)]
    if name == "kmqtt":
        broker = Broker([opts.kmqttd, "-c", config("kmqtt.conf", KMQTT_CONF)],
                        opts.module)
        subprocess.run([opts.kmqttctl, "config", "set"] + KMQTT_SETTING,
                       check=True)
        return broker
    if name == "mosquitto":
        return Broker(["mosquitto", "-c",
                       config("mosquitto.conf", MOSQUITTO_CONF)])
    if name == "floor":
        return Floor(os.path.join(opts.programs, "floor.ko"))
    return Broker(relay + (["batched"] if name == "batched" else []))


def proc_value(path, key):
    with open(path) as f:
        for line in f:
            words = line.split()
            if words and words[0].rstrip(":") == key:
                return words
    raise KeyError(key)


def wait_time_wait():
    """Connections in TIME_WAIT are work for the next scenario's timers."""
    while True:
        words = proc_value("/proc/net/sockstat", "TCP")
        if words[words.index("tw") + 1] == "0":
            return
        time.sleep(5)


def free_now():
    """A free page on the list of a processor is not in MemFree, but is
    free."""
    with open("/proc/zoneinfo") as f:
        pages = sum(int(line.split()[1]) for line in f
                    if line.split()[0] == "count:")
    return int(proc_value("/proc/meminfo", "MemFree")[1]) * 1024 + \
        pages * resource.getpagesize()


def free_bytes():
    """Free memory after everything that can be dropped was: caches, and the
    slabs with nothing in them that the scenarios before have left. What RCU
    frees comes later, and leaves more slabs with nothing in them: again until
    no more comes."""
    free, before = free_now(), 0
    while free > before + STEADY_BYTES:
        before = free
        for path, what in [("/proc/sys/vm/drop_caches", "3")] + \
                [(p, "1") for p in glob.glob("/sys/kernel/slab/*/shrink")]:
            with open(path, "w") as f:
                f.write(what)
        time.sleep(10)
        free = free_now()
    return free


def counted_bytes(opts):
    """What the module says it holds; None for other brokers."""
    res = subprocess.run([opts.kmqttctl, "-j", "stats", "show"],
                         capture_output=True, text=True)
    if res.returncode:
        return None
    return json.loads(res.stdout)["memory_bytes"]


def load(args, **kwargs):
    return subprocess.Popen([os.path.join(WORK, "load"), "-p", str(PORT)] +
                            ["-t", str(WAIT_SECONDS)] + args,
                            text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **kwargs)


def run_load(scenario):
    proc = load(["-L"] + scenario.args.split())
    out, err = proc.communicate()
    result = json.loads(out) if out.strip() else {}
    if proc.returncode:
        result["failed"] = "load ended with %d: %s" % (proc.returncode,
                                                       err.strip())
    return result


def run_memory(scenario, broker, opts):
    kmqtt = broker == "kmqtt"
    free, counted = free_bytes(), counted_bytes(opts) if kmqtt else None
    proc = load(scenario.args.split() + ["-P0", "-S0", "-n0", "-a"])
    line = proc.stderr.readline()
    result = {"bytes_each": (free - free_bytes()) / scenario.memory}
    if counted is not None:
        result["counted_each"] = \
            (counted_bytes(opts) - counted) / scenario.memory
    proc.terminate()
    _, err = proc.communicate()
    if line != "ready\n" or proc.returncode:
        result["failed"] = "load ended with %d: %s" % (proc.returncode,
                                                       line + err)
    return result


def set_cpus(number):
    with open("/sys/devices/system/cpu/cpu1/online", "w") as f:
        f.write("1" if number == 2 else "0")


def run_wall(scenario):
    """All are ready before one starts; the time of the slowest one."""
    procs = [load(["-W", "-t", str(WALL_WAIT_SECONDS)] + args.split(),
                  stdin=subprocess.PIPE) for args in scenario.loads]
    ready = [proc.stderr.readline() for proc in procs]
    for proc in procs:
        proc.stdin.write("\n")
        proc.stdin.flush()
    result, times = {}, []
    for proc, line in zip(procs, ready):
        out, err = proc.communicate()
        if proc.returncode:
            result["failed"] = "load ended with %d: %s%s" % (
                proc.returncode, line, err.strip())
            continue
        found = json.loads(out)
        times.append(found["latency_ns"]["p50"] if scenario.latency
                     else found["elapsed_ns"])
    return dict(result, ns=max(times)) if times else result


def measure_wall(opts):
    """One and two processors by turns: what else the host does changes."""
    chosen = [s for s in scenarios.WALL
              if any(p in s.name for p in opts.pattern.split(","))]
    for _ in range(WALL_TURNS):
        for name in opts.brokers.split(","):
            for cpus in (2, 1):
                set_cpus(cpus)
                broker = start(name, opts)
                for scenario in chosen:
                    result = run_wall(scenario)
                    print(json.dumps(dict(result, wall=scenario.name,
                                          broker=name, cpus=cpus)),
                          flush=True)
                broker.stop()


def measure_cost(opts):
    chosen = [s for s in scenarios.ALL
              if scenarios.wanted(s, opts.pattern, opts.all)]
    for name in opts.brokers.split(","):
        todo = [s for s in chosen if name in s.brokers]
        if not todo:
            continue
        broker = start(name, opts)
        for scenario in todo:
            if scenario.fresh:
                # What it has freed and kept would be used again unseen.
                broker.stop()
                broker = start(name, opts)
            wait_time_wait()
            result = (run_memory(scenario, name, opts) if scenario.memory
                      else run_load(scenario))
            print(json.dumps(dict(result, broker=name,
                                  scenario=scenario.name)), flush=True)
        broker.stop()


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--programs", required=True)
    p.add_argument("--module", required=True)
    p.add_argument("--kmqttd", required=True)
    p.add_argument("--kmqttctl", required=True)
    p.add_argument("--brokers", required=True)
    p.add_argument("--all", action="store_true")
    p.add_argument("--wall", action="store_true")
    p.add_argument("pattern", nargs="?", default="")
    opts = p.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    os.makedirs(WORK, exist_ok=True)
    for name in ("load", "relay"):
        shutil.copy(os.path.join(opts.programs, name), WORK)
    if opts.wall:
        measure_wall(opts)
    else:
        measure_cost(opts)


if __name__ == "__main__":
    main()
