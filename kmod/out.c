// SPDX-License-Identifier: GPL-2.0
/*
 * Deliveries that need an object of their own: all above QoS 0, and those with
 * a subscription identifier. A fan-out takes and frees many at once.
 */
#include "out.h"

#include <linux/slab.h>
#include "broker.h"
#include "core/qos.h"
#include "datapath.h"

/* Freed at once: more would cost a small batch more stack to clear. */
#define KMQTT_OUT_BULK	16

static struct kmem_cache *kmqtt_out_cache;

/* Memory of a delivery with @nr_ids subscription identifiers. */
static size_t kmqtt_out_memory(u32 nr_ids)
{
	return sizeof(struct kmqtt_out) +
	       (nr_ids > 1 ? nr_ids * sizeof(u32) : 0);
}

struct kmqtt_out *kmqtt_out_alloc(struct kmqtt_broker *broker, gfp_t gfp)
{
	struct kmqtt_out *out;

	if (!kmqtt_charge(broker, sizeof(*out)))
		return NULL;
	out = kmem_cache_alloc(kmqtt_out_cache, gfp);
	if (!out)
		kmqtt_uncharge(broker, sizeof(*out));
	return out;
}

struct kmqtt_out *kmqtt_out_take(struct kmqtt_run *run)
{
	size_t size = run->stock * sizeof(struct kmqtt_out);

	if (run->nr_spare)
		return run->spare[--run->nr_spare];
	if (run->stock == 1 || !kmqtt_charge(run->broker, size)) {
		run->stock = 2;
		return kmqtt_out_alloc(run->broker, run->gfp);
	}
	run->nr_spare = kmem_cache_alloc_bulk(kmqtt_out_cache, run->gfp,
					      run->stock, (void **)run->spare);
	if (!run->nr_spare) {
		kmqtt_uncharge(run->broker, size);
		return NULL;
	}
	run->stock = min(run->stock * 2, KMQTT_RUN_SPARE);
	return run->spare[--run->nr_spare];
}

bool kmqtt_out_stock(struct kmqtt_run *run, u32 nr)
{
	size_t size = nr * sizeof(struct kmqtt_out);

	if (!kmqtt_charge(run->broker, size))
		return false;
	run->nr_spare = kmem_cache_alloc_bulk(kmqtt_out_cache, run->gfp, nr,
					      (void **)run->spare);
	if (!run->nr_spare)
		kmqtt_uncharge(run->broker, size);
	return run->nr_spare;
}

void kmqtt_out_unstock(struct kmqtt_run *run)
{
	if (!run->nr_spare)
		return;
	kmqtt_uncharge(run->broker, run->nr_spare * sizeof(struct kmqtt_out));
	kmem_cache_free_bulk(kmqtt_out_cache, run->nr_spare,
			     (void **)run->spare);
	run->nr_spare = 0;
}

/* More than one subscription identifier. Return: 0 or -ENOMEM. */
static int kmqtt_out_add_ids(struct kmqtt_out *out, const u32 *ids,
			     u32 nr_ids, gfp_t gfp)
{
	size_t size = nr_ids * sizeof(*ids);

	if (!kmqtt_charge(out->msg->broker, size))
		return -ENOMEM;
	out->more_ids = kmalloc_array(nr_ids, sizeof(*ids),
				      gfp | __GFP_NOWARN);
	if (!out->more_ids) {
		kmqtt_uncharge(out->msg->broker, size);
		return -ENOMEM;
	}
	memcpy(out->more_ids, ids, size);
	out->nr_ids = nr_ids;
	return 0;
}

struct kmqtt_out *kmqtt_out_fill(struct kmqtt_out *out, struct kmqtt_msg *msg,
				 u8 qos, bool retain, const u32 *ids,
				 u32 nr_ids, gfp_t gfp)
{
	if (!out)
		return NULL;
	*out = (struct kmqtt_out){
		.msg = kmqtt_msg_get(msg),
		.qos = qos,
		.retain = retain,
		.state = MQTT_QOS_QUEUED,
	};
	refcount_set(&out->ref, 1);
	if (nr_ids > 1) {
		if (kmqtt_out_add_ids(out, ids, nr_ids, gfp)) {
			kmqtt_out_put(out);
			return NULL;
		}
	} else if (nr_ids) {
		out->id = *ids;
		out->nr_ids = 1;
	}
	return out;
}

/* Return: bytes to uncharge once it is freed. */
static size_t kmqtt_out_empty(struct kmqtt_out *out)
{
	kmqtt_msg_put(out->msg);
	if (out->nr_ids > 1)
		kfree(out->more_ids);
	return kmqtt_out_memory(out->nr_ids);
}

void kmqtt_out_put(struct kmqtt_out *out)
{
	struct kmqtt_broker *broker = out->msg->broker;

	if (!refcount_dec_and_test(&out->ref))
		return;
	kmqtt_uncharge(broker, kmqtt_out_empty(out));
	kmem_cache_free(kmqtt_out_cache, out);
}

/* Those from @i on, until so many as are freed at once. Return: the next. */
static u32 kmqtt_out_put_some(const struct kmqtt_tx_item *items, u32 i, u32 nr)
{
	struct kmqtt_broker *broker = items[i].msg->broker;
	void *free[KMQTT_OUT_BULK];
	u32 nr_free = 0;
	size_t bytes = 0;

	for (; i < nr && nr_free < KMQTT_OUT_BULK; i++) {
		if (!items[i].out) {
			kmqtt_msg_put(items[i].msg);
			continue;
		}
		if (!refcount_dec_and_test(&items[i].out->ref))
			continue;
		bytes += kmqtt_out_empty(items[i].out);
		free[nr_free++] = items[i].out;
	}
	if (nr_free) {
		kmqtt_uncharge(broker, bytes);
		kmem_cache_free_bulk(kmqtt_out_cache, nr_free, free);
	}
	return i;
}

void kmqtt_out_put_all(const struct kmqtt_tx_item *items, u32 nr)
{
	u32 i = 0;

	while (i < nr) {
		if (items[i].out)
			i = kmqtt_out_put_some(items, i, nr);
		else
			kmqtt_msg_put(items[i++].msg);
	}
}

u32 kmqtt_out_packet_size(const struct kmqtt_msg *msg,
			  const struct kmqtt_out *out, u8 version)
{
	struct mqtt_publish_out head = {
		.version = version,
		.flags = out ? out->qos << MQTT_PUB_QOS_SHIFT : 0,
		.has_expiry = msg->expires,
		.payload_len = msg->payload.len,
		.nr_sub_ids = out ? out->nr_ids : 0,
		.sub_ids = out ? kmqtt_out_ids(out) : NULL,
		.topic = msg->topic,
		.props = msg->props,
	};
	u32 total;

	mqtt_publish_head_len(&head, &total);
	return total;
}

int kmqtt_out_init(void)
{
	kmqtt_out_cache = KMEM_CACHE(kmqtt_out, 0);
	return kmqtt_out_cache ? 0 : -ENOMEM;
}

void kmqtt_out_uninit(void)
{
	kmem_cache_destroy(kmqtt_out_cache);
}
