// SPDX-License-Identifier: GPL-2.0
/*
 * What a burst comes to is the same for many subscribers, byte for byte. When two of
 * a flush list are due the same messages they are laid side by side in
 * pages, and TCP is given references to those for the second and all that follow:
 * nothing is encoded, and nothing copied, for each of them.
 *
 * A client that does not read so keeps the pages of nothing but what is due to it.
 */
#include "strip.h"

#include <linux/mm.h>
#include <linux/slab.h>
#include "batch.h"
#include "broker.h"
#include "bulk.h"
#include "conn.h"
#include "datapath.h"
#include "message.h"

/* Messages from which on a look whether they are the same is worth it. */
#define KMQTT_STRIP_LEAST	4
/* Bytes: what goes in one segment, with bottom halves disabled, too. */
#define KMQTT_STRIP_MOST	65536

/**
 * struct kmqtt_strip - what the last connection of a kind was due
 * @broker: charged with the pages
 * @nr: messages, 0: none
 * @page: where they are, or NULL; compound
 * @len: bytes in it
 * @msgs: the messages; referenced if there is a @page. If there is none they may be
 *	gone, and others in their place: then those are laid there.
 */
struct kmqtt_strip {
	struct kmqtt_broker *broker;
	u32 nr;
	u32 len;
	struct page *page;
	struct kmqtt_msg *msgs[KMQTT_TX_ITEMS];
};

/**
 * struct kmqtt_strips - of one flush
 * @of: of the protocols that encode a PUBLISH alike: before 5.0, and 5.0
 */
struct kmqtt_strips {
	struct kmqtt_strip of[2];
};

/* Can it be what others get, too? A topic alias is one client's own. */
static bool kmqtt_strip_suits(const struct kmqtt_conn *conn,
			      const struct kmqtt_batch *batch)
{
	return batch->nr_items >= KMQTT_STRIP_LEAST && !batch->nr_vec &&
	       !batch->encoded && !conn->alias_out_max &&
	       !kmqtt_transport_is_unix(conn);
}

/* If there are others behind it on the list. Return: NULL: there is none. */
static struct kmqtt_strip *kmqtt_strip_get(struct kmqtt_run *run,
					   const struct kmqtt_conn *conn,
					   gfp_t gfp)
{
	if (!run->strips && !list_empty(&run->dirty))
		run->strips = kzalloc(sizeof(*run->strips), gfp | __GFP_NOWARN);
	return run->strips ? &run->strips->of[conn->version == MQTT_V5] : NULL;
}

/* Does the same packet do for all? With an expiry it says how long it waited. */
static bool kmqtt_strip_plain(const struct kmqtt_tx_item *item)
{
	return !item->out && !item->flags && !item->msg->expires;
}

static bool kmqtt_strip_same(const struct kmqtt_strip *strip,
			     const struct kmqtt_batch *batch)
{
	u32 i;

	if (strip->nr != batch->nr_items)
		return false;
	for (i = 0; i < strip->nr; i++)
		if (batch->items[i].msg != strip->msgs[i] ||
		    !kmqtt_strip_plain(&batch->items[i]))
			return false;
	return true;
}

static void kmqtt_strip_forget(struct kmqtt_strip *strip)
{
	u32 i;

	if (strip->page) {
		for (i = 0; i < strip->nr; i++)
			kmqtt_msg_put(strip->msgs[i]);
		kmqtt_uncharge(strip->broker, page_size(strip->page));
		put_page(strip->page);
		strip->page = NULL;
	}
	strip->nr = 0;
}

static void kmqtt_strip_note(struct kmqtt_strip *strip,
			     const struct kmqtt_batch *batch)
{
	u32 i;

	kmqtt_strip_forget(strip);
	for (i = 0; i < batch->nr_items; i++) {
		if (!kmqtt_strip_plain(&batch->items[i]))
			return;
		strip->msgs[i] = batch->items[i].msg;
	}
	strip->nr = batch->nr_items;
}

static bool kmqtt_strip_alloc(struct kmqtt_strip *strip,
			      struct kmqtt_broker *broker, u32 len, gfp_t gfp)
{
	u32 order = get_order(len);

	if (!kmqtt_charge(broker, PAGE_SIZE << order))
		return false;
	strip->page = alloc_pages(gfp | __GFP_COMP | __GFP_NOWARN |
				  __GFP_NORETRY, order);
	if (!strip->page) {
		kmqtt_uncharge(broker, PAGE_SIZE << order);
		return false;
	}
	strip->broker = broker;
	strip->len = len;
	return true;
}

/* Lay what is encoded in @batch side by side. If there is no memory it does as well. */
static void kmqtt_strip_make(struct kmqtt_strip *strip,
			     struct kmqtt_broker *broker,
			     const struct kmqtt_batch *batch, gfp_t gfp)
{
	u32 i;
	u8 *at;

	if (batch->encoded != batch->nr_items || batch->nr_paged ||
	    batch->bytes > KMQTT_STRIP_MOST ||
	    !kmqtt_bulk_is_worth(batch->bytes, batch->bytes) ||
	    !kmqtt_strip_alloc(strip, broker, batch->bytes, gfp))
		return;
	at = page_address(strip->page);
	for (i = 0; i < batch->nr_vec; i++) {
		memcpy(at, batch->vec[i].iov_base, batch->vec[i].iov_len);
		at += batch->vec[i].iov_len;
	}
	for (i = 0; i < strip->nr; i++)
		kmqtt_msg_get(batch->items[i].msg);
}

int kmqtt_strip_encode(struct kmqtt_run *run, struct kmqtt_conn *conn,
		       struct kmqtt_batch *batch, gfp_t gfp)
{
	struct kmqtt_strip *strip;
	bool same;
	int ret;

	strip = kmqtt_strip_suits(conn, batch) ?
		kmqtt_strip_get(run, conn, gfp) : NULL;
	if (!strip)
		return kmqtt_batch_encode(conn, batch, gfp);
	same = kmqtt_strip_same(strip, batch);
	if (same && strip->page) {
		kmqtt_batch_lay(conn, batch, strip->page, strip->len);
		return 0;
	}
	if (!same)
		kmqtt_strip_note(strip, batch);
	ret = kmqtt_batch_encode(conn, batch, gfp);
	if (same && !ret)
		kmqtt_strip_make(strip, conn->broker, batch, gfp);
	return ret;
}

void kmqtt_strip_drop(struct kmqtt_run *run)
{
	if (!run->strips)
		return;
	kmqtt_strip_forget(&run->strips->of[0]);
	kmqtt_strip_forget(&run->strips->of[1]);
	kfree(run->strips);
	run->strips = NULL;
}
