// SPDX-License-Identifier: GPL-2.0
/*
 * Who sends many messages at once sends them to one topic, most often. Those that one
 * read has brought are routed together: who subscribes is looked up once, and each
 * session's lock taken once.
 *
 * Only QoS 0, which nobody waits to be told of, and which is in order with all else of
 * its publisher, since what does not join is behind what has. Nothing waits for it
 * but what was read with it.
 */
#include "burst.h"

#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "broker.h"
#include "datapath.h"
#include "gather.h"
#include "message.h"

/* Messages: half of what is sent before the next packet is looked at. */
#define KMQTT_BURST		32
/* Deliveries in one go: some milliseconds. */
#define KMQTT_BURST_DELIVERIES	32768
/*
 * What part of a queue they may fill that is not half full, lest those of several
 * processors fill it.
 */
#define KMQTT_BURST_PART	16

/**
 * struct kmqtt_burst - of one run
 * @from: their publisher
 * @nr: how many there are
 * @most: how many there may be
 * @bytes: as queues count them
 * @most_bytes: how many there may be
 * @msgs: they, referenced
 */
struct kmqtt_burst {
	struct kmqtt_session *from;
	u32 nr;
	u32 most;
	u64 bytes;
	u64 most_bytes;
	struct kmqtt_msg *msgs[KMQTT_BURST];
};

static struct kmqtt_burst *kmqtt_burst_get(struct kmqtt_run *run,
					   struct kmqtt_session *from)
{
	struct kmqtt_burst *burst = run->burst;
	u64 messages, bytes;

	if (burst)
		return burst;
	burst = kmalloc(sizeof(*burst), GFP_KERNEL | __GFP_NOWARN);
	if (!burst)
		return NULL;
	messages = kmqtt_cfg(run->broker, KMQTT_SET_MAX_QUEUED_MESSAGES);
	bytes = kmqtt_cfg(run->broker, KMQTT_SET_MAX_QUEUED_BYTES);
	burst->from = from;
	burst->nr = 0;
	burst->most = KMQTT_BURST;
	if (messages)
		burst->most = min_t(u64, burst->most,
				    messages / KMQTT_BURST_PART);
	burst->bytes = 0;
	burst->most_bytes = bytes ? bytes / KMQTT_BURST_PART : U64_MAX;
	run->burst = burst;
	return burst;
}

/* Are there some already that it may join, or can there be? */
static bool kmqtt_burst_takes(const struct kmqtt_burst *burst,
			      const struct kmqtt_msg *msg)
{
	const struct mqtt_str *topic;

	if (!burst->nr)
		return burst->most > 1 &&
		       kmqtt_msg_size(msg) <= burst->most_bytes;
	topic = &burst->msgs[0]->topic;
	return burst->nr < burst->most &&
	       burst->bytes + kmqtt_msg_size(msg) <= burst->most_bytes &&
	       topic->len == msg->topic.len &&
	       !memcmp(topic->data, msg->topic.data, topic->len);
}

bool kmqtt_burst_join(struct kmqtt_run *run, struct kmqtt_msg *msg,
		      struct kmqtt_session *from)
{
	struct kmqtt_burst *burst = run->burst;

	/* Alone it has nothing to gain, nor the first of a new burst. */
	if (!run->behind && (!burst || !burst->nr))
		return false;
	burst = kmqtt_burst_get(run, from);
	if (!burst)
		return false;
	if (burst->nr && !kmqtt_burst_takes(burst, msg))
		kmqtt_burst_flush(run);
	if (!burst->nr && (!run->behind || !kmqtt_burst_takes(burst, msg)))
		return false;
	burst->msgs[burst->nr++] = msg;
	burst->bytes += kmqtt_msg_size(msg);
	return true;
}

/* @behind: more comes, as in struct kmqtt_run; the packet at hand may be that. */
static void kmqtt_burst_route(struct kmqtt_run *run, bool behind)
{
	struct kmqtt_burst *burst = run->burst;
	bool was = run->behind;
	u32 i, count;

	if (!burst || !burst->nr)
		return;
	run->behind = behind;
	count = kmqtt_route_burst(run, burst->msgs, burst->nr, burst->from);
	if (!count)
		kmqtt_stat_add(run->broker, KMQTT_STAT_PUBLISH_UNMATCHED,
			       burst->nr);
	for (i = 0; i < burst->nr; i++)
		kmqtt_msg_put(burst->msgs[i]);
	burst->nr = 0;
	burst->bytes = 0;
	/* Likely the next ones are to as many. */
	burst->most = min(burst->most,
			  KMQTT_BURST_DELIVERIES / max(count, 1U));
	/* Before anything else is routed: it may be large. */
	if (run->full)
		kmqtt_gather_flush(run);
	run->behind = was;
}

void kmqtt_burst_flush(struct kmqtt_run *run)
{
	kmqtt_burst_route(run, true);
}

void kmqtt_burst_end(struct kmqtt_run *run, bool behind)
{
	kmqtt_burst_route(run, behind);
	kfree(run->burst);
	run->burst = NULL;
}
