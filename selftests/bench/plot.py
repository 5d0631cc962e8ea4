#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
Draws what the benchmark has measured, with gnuplot: how latencies are spread,
and what a message costs against the number of subscribers, the size of the
payload and the number of subscriptions. Panels for which the JSON file has
nothing are left out.
"""

import argparse
import json
import re
import subprocess
import sys

sys.dont_write_bytecode = True

COLUMNS = 2
PANEL = (760, 520)
SIZES = {"64B": 64, "1KiB": 1024, "16KiB": 16384}
COUNTS = {"1k": 1e3, "10k": 1e4, "100k": 1e5, "1M": 1e6}
COLOURS = {"relay": "#888888", "batched": "#444444", "mosquitto": "#d95f02",
           "kmqtt": "#1b9e77"}
RATE_COLOURS = ("#1b9e77", "#7570b3", "#d95f02", "#444444")

# A panel: title, labels of the axes, extra commands, and curves, each of them
# a name, a style and points.


def spread(result):
    """From each latency, the part of the messages that took longer."""
    pairs = result["latency_ns"]["distribution"]
    left = total = sum(n for _, n in pairs)
    points = []
    for ns, n in pairs:
        points.append((ns / 1000, left / total))
        left -= n
    return points


def latency_panel(title, curves):
    return (title, "latency, µs of guest time", "part that took as long",
            "set logscale xy; set format y '10^{%L}'", curves)


def latencies(results, scenario):
    curves = [(broker, "lines lw 2 lc rgb '%s'" % COLOURS[broker],
               spread(result))
              for (name, broker), result in results.items()
              if name == scenario and "distribution" in
              result.get("latency_ns", {})]
    return latency_panel("Latency, " + scenario, curves)


def paced(results):
    found = [(re.fullmatch(r"1-1 64B (\d+)/s", name), result)
             for (name, broker), result in results.items()
             if broker == "kmqtt" and "latency_ns" in result]
    curves = [("%s a second" % match.group(1), spread(result))
              for match, result in found if match]
    return latency_panel("kmqtt's latency at a given rate, 1-1, 64 B",
                         [(name, "lines lw 2 lc rgb '%s'" %
                           RATE_COLOURS[i % len(RATE_COLOURS)], points)
                          for i, (name, points) in enumerate(curves)])


def cost_curves(results, pattern, value, label):
    """@pattern's first group is the x axis, the others go into the name."""
    curves = {}
    for (name, broker), result in results.items():
        match = re.fullmatch(pattern, name)
        cost = result.get("busy_ns_per_delivery")
        if match and cost and not result.get("failed"):
            what = label(broker, *match.groups()[1:])
            curves.setdefault((broker, what), []).append(
                (value(match.group(1)), cost / 1000))
    return [(what, "linespoints lw 2 pt 7 dt %d lc rgb '%s'" %
             (2 if "out32" in what or "mixed" in what else 1, COLOURS[broker]),
             sorted(points)) for (broker, what), points in curves.items()
            if len(points) > 1]


def panels(results):
    def out(broker, burst):
        return broker + (" out32" if burst == " out32" else "")

    cost = "1000 instructions for a delivery"
    yield latencies(results, "1-1 64B qos0")
    yield latencies(results, "1-100 64B")
    yield latencies(results, "1-100 64B out32")
    yield paced(results)
    yield ("Cost against subscribers of a message, 64 B", "subscribers", cost,
           "set logscale xy",
           cost_curves(results, r"1-(10*) 64B( qos0| out32)?", int, out))
    yield ("Cost against the payload, 1-100", "bytes", cost, "set logscale xy",
           cost_curves(results, r"1-100 (\w+B)( out32)?", SIZES.get, out))
    yield ("Cost against other subscriptions, 1-1, 64 B", "subscriptions",
           cost, "set logscale x; set yrange [0:*]",
           cost_curves(results, r"1-1 among (\w+) (mixed|exact)", COUNTS.get,
                       lambda broker, kind: "%s, %s" % (broker, kind)))


def script(found, path):
    rows = (len(found) + COLUMNS - 1) // COLUMNS
    yield "set terminal pngcairo size %d,%d font 'sans,10'" % (
        PANEL[0] * COLUMNS, PANEL[1] * rows)
    yield "set output '%s'" % path.replace("'", "''")
    yield "set multiplot layout %d,%d" % (rows, COLUMNS)
    for number, (title, x, y, extra, curves) in enumerate(found):
        for i, (_, _, points) in enumerate(curves):
            yield "$data%d_%d << EOD" % (number, i)
            yield from ("%g %g" % point for point in points)
            yield "EOD"
        yield "reset; set grid; set key outside right top; set title '%s'" % \
            title.replace("'", "''")
        yield "set xlabel '%s'; set ylabel '%s'; %s" % (x, y, extra)
        yield "plot " + ", ".join(
            "$data%d_%d with %s title '%s'" % (number, i, style, name)
            for i, (name, style, _) in enumerate(curves))


def main():
    p = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("json", help="from bench --json")
    p.add_argument("png")
    opts = p.parse_args()
    with open(opts.json) as f:
        results = {(r["scenario"], r["broker"]): r for r in json.load(f)
                   if "scenario" in r}
    found = [panel for panel in panels(results) if panel[-1]]
    if not found:
        sys.exit("%s has nothing to be drawn" % opts.json)
    sys.exit(subprocess.run(["gnuplot"],
                            input="\n".join(script(found, opts.png)),
                            text=True).returncode)


if __name__ == "__main__":
    main()
