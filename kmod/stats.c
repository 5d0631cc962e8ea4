// SPDX-License-Identifier: GPL-2.0
/* Counters summed over CPUs, and what can be read off the broker itself. */
#include "stats.h"

#include <linux/cpumask.h>
#include <linux/kernel.h>
#include "broker.h"

static const struct {
	const char *name;
	const char *help;
} kmqtt_counters[KMQTT_NR_STATS] = {
#define X(symbol, name, help) { name, help },
	KMQTT_STATS(X)
#undef X
};

static u64 kmqtt_counter_sum(struct kmqtt_broker *broker, unsigned int index)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(broker->stats, cpu)->n[index]);
	return sum;
}

static u64 kmqtt_gauge_connections(struct kmqtt_broker *broker)
{
	return atomic_read(&broker->nr_conns);
}

static u64 kmqtt_gauge_half_open(struct kmqtt_broker *broker)
{
	return atomic_read(&broker->nr_half_open);
}

static u64 kmqtt_gauge_listeners(struct kmqtt_broker *broker)
{
	struct list_head *pos;
	u64 nr = 0;

	mutex_lock(&broker->lock);
	list_for_each(pos, &broker->listeners)
		nr++;
	mutex_unlock(&broker->lock);
	return nr;
}

static u64 kmqtt_gauge_sessions(struct kmqtt_broker *broker)
{
	return READ_ONCE(broker->nr_sessions);
}

static u64 kmqtt_gauge_subscriptions(struct kmqtt_broker *broker)
{
	return READ_ONCE(broker->nr_subs);
}

static u64 kmqtt_gauge_filter_nodes(struct kmqtt_broker *broker)
{
	return READ_ONCE(broker->subs.nr_nodes);
}

static u64 kmqtt_gauge_filter_bytes(struct kmqtt_broker *broker)
{
	return READ_ONCE(broker->subs.bytes);
}

static u64 kmqtt_gauge_topic_nodes(struct kmqtt_broker *broker)
{
	return READ_ONCE(broker->retained.nr_nodes);
}

static u64 kmqtt_gauge_retained_messages(struct kmqtt_broker *broker)
{
	return READ_ONCE(broker->nr_retained);
}

static u64 kmqtt_gauge_retained_bytes(struct kmqtt_broker *broker)
{
	u64 bytes;

	mutex_lock(&broker->retain_lock);
	bytes = broker->retained_bytes;
	mutex_unlock(&broker->retain_lock);
	return bytes;
}

static u64 kmqtt_gauge_memory(struct kmqtt_broker *broker)
{
	return percpu_counter_sum_positive(&broker->memory);
}

static const struct {
	const char *name;
	const char *help;
	u64 (*read)(struct kmqtt_broker *broker);
} kmqtt_gauges[] = {
	{ "listeners", "addresses listened on", kmqtt_gauge_listeners },
	{ "connections", "TCP connections now", kmqtt_gauge_connections },
	{ "half_open", "of these, not let in yet", kmqtt_gauge_half_open },
	{ "sessions", "sessions now, with or without a connection",
	  kmqtt_gauge_sessions },
	{ "subscriptions", "subscriptions now", kmqtt_gauge_subscriptions },
	{ "filter_nodes", "levels in the tree of topic filters",
	  kmqtt_gauge_filter_nodes },
	{ "filter_bytes", "bytes of the tree of topic filters",
	  kmqtt_gauge_filter_bytes },
	{ "topic_nodes", "levels in the tree of retained topics",
	  kmqtt_gauge_topic_nodes },
	{ "retained_messages", "retained messages now",
	  kmqtt_gauge_retained_messages },
	{ "retained_bytes", "bytes of retained messages",
	  kmqtt_gauge_retained_bytes },
	{ "memory_bytes", "bytes counted against memory_max",
	  kmqtt_gauge_memory },
};

bool kmqtt_stats_row(struct kmqtt_broker *broker, unsigned int index,
		     struct kmqtt_stats_row *row)
{
	if (index < ARRAY_SIZE(kmqtt_gauges)) {
		row->name = kmqtt_gauges[index].name;
		row->help = kmqtt_gauges[index].help;
		row->value = kmqtt_gauges[index].read(broker);
		return true;
	}
	index -= ARRAY_SIZE(kmqtt_gauges);
	if (index >= KMQTT_NR_STATS)
		return false;
	row->name = kmqtt_counters[index].name;
	row->help = kmqtt_counters[index].help;
	row->value = kmqtt_counter_sum(broker, index);
	return true;
}
