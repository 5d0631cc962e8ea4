# SPDX-License-Identifier: GPL-2.0
"""What was measured, as tables."""

import statistics

import scenarios

BYTES = "bytes_each"
COST = "busy_ns_per_delivery"
PERCENTILES = ("p50", "p99", "p99.9")


def lines(rows):
    """The first row is the head."""
    rows = [rows[0], ["---"] + ["--:"] * (len(rows[0]) - 1)] + rows[1:]
    width = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield "| " + " | ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, width))) + " |"


def figure(result):
    if result is None:
        return "-"
    if result.get("failed"):
        return "failed"
    if BYTES in result:
        return "%.0f B" % result[BYTES]
    return "%.1f k" % (result[COST] / 1000)


def value(result, key):
    good = result and not result.get("failed")
    return result.get(key) if good else None


def standing(scenario, results):
    """kmqtt's figure by what it is compared with; and whether that will do."""
    mine = results.get((scenario.name, "kmqtt"))
    if scenario.against in scenarios.ALL_BROKERS:
        other = results.get((scenario.name, scenario.against))
        name = scenario.against
    else:
        other = results.get((scenario.against, "kmqtt"))
        name = "TCP" if scenario.name.endswith(" unix") else "alone"
    if value(mine, BYTES) is not None and value(other, BYTES) is not None:
        more = mine[BYTES] - other[BYTES]
        return "%+.0f B %s" % (more, name), "%+d B%s" % (
            scenario.most, "" if more <= scenario.most else " exceeded")
    if not value(mine, COST):
        return "-", ""
    if scenario.against is None:
        most = "%.1f k" % (scenario.most / 1000)
        return figure(mine), most + (
            "" if mine[COST] <= scenario.most else " exceeded")
    if not value(other, COST):
        return "-", ""
    at = mine[COST] / other[COST]
    if scenario.most is None:
        return "%.2f %s" % (at, name), ""
    return "%.2f %s" % (at, name), "%.2f%s" % (
        scenario.most, "" if at <= scenario.most else
        " exceeded" + least(scenario, results, other[COST]))


def least(scenario, results, cost_of_other):
    """Where TCP and the clients alone would be, if that is too much, too."""
    floor = value(results.get((scenario.name, "floor")), COST)
    if not floor or floor / cost_of_other <= scenario.most:
        return ""
    return " (floor: %.2f)" % (floor / cost_of_other)


def cost(results, brokers):
    rows = [["scenario"] + brokers + ["kmqtt is at", "at most"]]
    for scenario in scenarios.ALL:
        found = [results.get((scenario.name, b)) for b in brokers]
        if any(found):
            rows.append([scenario.name] + [figure(f) for f in found] +
                        list(standing(scenario, results)))
    yield from lines(rows)
    for (name, broker), result in results.items():
        if "counted_each" in result:
            yield ""
            yield "%s counts %.0f bytes of its own for each %s." % (
                broker, result["counted_each"], name)


def latency(results, brokers):
    def cell(result):
        found = value(result, "latency_ns")
        return "-" if not found else " / ".join(
            "%.0f" % (found[p] / 1000) for p in PERCENTILES)

    rows = [["µs: %s" % " / ".join(PERCENTILES)] + brokers]
    for scenario in scenarios.ALL:
        found = [results.get((scenario.name, b)) for b in brokers]
        if any(value(f, "latency_ns") for f in found):
            rows.append([scenario.name] + [cell(f) for f in found])
    yield from lines(rows)


def wall(measured, brokers):
    """@measured: of scenario, broker and processors, all times."""
    def ratio(above, below, form="%.2f"):
        above, below = measured.get(above), measured.get(below)
        if not above or not below:
            return "-"
        return form % (statistics.median(above) / statistics.median(below))

    rows = [["wall time"] + ["%s, 1 CPU / 2 CPUs" % b for b in brokers] +
            ["kmqtt/relay, 2 CPUs", "at most"]]
    for s in scenarios.WALL:
        if any(name == s.name for name, _, _ in measured):
            rows.append([s.name] +
                        [ratio((s.name, b, 1), (s.name, b, 2))
                         for b in brokers] +
                        [ratio((s.name, "kmqtt", 2), (s.name, "relay", 2)),
                         "%.2f" % s.most if s.most else ""])
    yield from lines(rows)
    yield ""
    yield ("1 CPU / 2 CPUs: so many times as fast on two; kmqtt shall be at "
           "%.1f where that is not a latency." % scenarios.WALL_SPEED)
