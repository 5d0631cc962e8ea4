// SPDX-License-Identifier: GPL-2.0
/*
 * What a burst comes to is the same for many subscribers, byte for byte. When two of
 * a flush list are due the same messages, they are laid side by side in a page, and
 * TCP is given references to that for all that follow: nothing is encoded, and
 * nothing copied, for each of them.
 *
 * A client that does not read so keeps pages of nothing but what is due to it. One
 * that leaves the end of a segment unacknowledged keeps one of at most 64 KiB for
 * some bytes; with TCP's own that would be 32 KiB.
 */
#include "strip.h"

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include "batch.h"
#include "broker.h"
#include "bulk.h"
#include "conn.h"
#include "datapath.h"
#include "message.h"

/* Messages from which on a look whether they are the same is worth it. */
#define KMQTT_STRIP_LEAST	4
/* Bytes: what goes in one segment, and with the rest in a page of its size. */
#define KMQTT_STRIP_MOST	(65536 - sizeof(struct kmqtt_laid))

/**
 * struct kmqtt_laid - what a burst comes to, at the beginning of a compound page
 * @ref: a strip, and each batch that is to be sent from it. Behind the last of them
 *	TCP may still have references to the page.
 * @broker: charged with the page; none of those outlives it
 * @len: bytes of it
 * @data: they
 */
struct kmqtt_laid {
	refcount_t ref;
	struct kmqtt_broker *broker;
	u32 len;
	u8 data[];
};

/**
 * struct kmqtt_strip - what the last connection of a kind was due
 * @nr: messages, 0: none
 * @poor: there was no memory for @laid
 * @laid: they, or NULL
 * @conn: referenced, if there is a @laid, lest its broker ends
 * @held: references to each of @msgs, if there is a @laid: its own, and those of all
 *	who were sent it. They go at once, since processors that send the same
 *	messages would take their counts from each other.
 * @msgs: the messages. If there is no @laid they may be gone, and others in their
 *	place: then those are laid there.
 */
struct kmqtt_strip {
	u32 nr;
	bool poor;
	struct kmqtt_laid *laid;
	struct kmqtt_conn *conn;
	u32 held;
	struct kmqtt_msg *msgs[KMQTT_TX_ITEMS];
};

/**
 * struct kmqtt_strips - of one flush
 * @until: jiffies; dropped then, since who ends may wait for it
 * @of: of the protocols that encode a PUBLISH alike: before 5.0, and 5.0
 */
struct kmqtt_strips {
	unsigned long until;
	struct kmqtt_strip of[2];
};

/* Can it be what others get, too? A topic alias is one client's own. */
static bool kmqtt_strip_suits(const struct kmqtt_conn *conn,
			      const struct kmqtt_batch *batch)
{
	return batch->nr_items >= KMQTT_STRIP_LEAST && !batch->nr_vec &&
	       !batch->encoded && !batch->kept && !conn->alias_out_max &&
	       !kmqtt_transport_is_unix(conn);
}

/*
 * If there are others behind it on the list. No reserves: it does without as well.
 * Return: NULL: there is none.
 */
static struct kmqtt_strip *kmqtt_strip_get(struct kmqtt_run *run,
					   const struct kmqtt_conn *conn)
{
	if (!run->strips && !list_empty(&run->dirty)) {
		run->strips = kzalloc(sizeof(*run->strips),
				      GFP_NOWAIT | __GFP_NOWARN);
		if (run->strips)
			run->strips->until = jiffies + KMQTT_RUN_TIME;
	}
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

void kmqtt_laid_put(struct kmqtt_laid *laid)
{
	struct page *page = virt_to_head_page(laid);

	if (!refcount_dec_and_test(&laid->ref))
		return;
	kmqtt_uncharge(laid->broker, page_size(page));
	put_page(page);
}

static void kmqtt_strip_forget(struct kmqtt_strip *strip)
{
	u32 i;

	if (strip->laid) {
		for (i = 0; i < strip->nr; i++)
			kmqtt_msg_put_several(strip->msgs[i], strip->held);
		kmqtt_laid_put(strip->laid);
		strip->laid = NULL;
		/* Only now may its broker end. */
		kmqtt_conn_put(strip->conn);
	}
	strip->nr = 0;
	strip->poor = false;
}

static void kmqtt_strip_note(struct kmqtt_strip *strip,
			     const struct kmqtt_batch *batch)
{
	u32 i;

	/* What is not for others leaves what may be. */
	for (i = 0; i < batch->nr_items; i++)
		if (!kmqtt_strip_plain(&batch->items[i]))
			return;
	kmqtt_strip_forget(strip);
	for (i = 0; i < batch->nr_items; i++)
		strip->msgs[i] = batch->items[i].msg;
	strip->nr = batch->nr_items;
}

static struct kmqtt_laid *kmqtt_laid_alloc(struct kmqtt_broker *broker, u32 len)
{
	u32 order = get_order(sizeof(struct kmqtt_laid) + len);
	struct kmqtt_laid *laid;
	struct page *page;

	if (!kmqtt_charge(broker, PAGE_SIZE << order))
		return NULL;
	page = alloc_pages(GFP_NOWAIT | __GFP_COMP | __GFP_NOWARN |
			   __GFP_NORETRY, order);
	if (!page) {
		kmqtt_uncharge(broker, PAGE_SIZE << order);
		return NULL;
	}
	laid = page_address(page);
	refcount_set(&laid->ref, 1);
	laid->broker = broker;
	laid->len = len;
	return laid;
}

/* Lay what is encoded in @batch side by side. */
static void kmqtt_strip_make(struct kmqtt_strip *strip, struct kmqtt_conn *conn,
			     const struct kmqtt_batch *batch)
{
	u32 i;
	u8 *at;

	strip->laid = kmqtt_laid_alloc(conn->broker, batch->bytes);
	strip->poor = !strip->laid;
	if (strip->poor)
		return;
	at = strip->laid->data;
	for (i = 0; i < batch->nr_vec; i++) {
		memcpy(at, batch->vec[i].iov_base, batch->vec[i].iov_len);
		at += batch->vec[i].iov_len;
	}
	for (i = 0; i < strip->nr; i++)
		kmqtt_msg_get(strip->msgs[i]);
	strip->held = 1;
	strip->conn = kmqtt_conn_get(conn);
}

/* Is it to be laid out, with others behind it that it may be for? */
static bool kmqtt_strip_worth(const struct kmqtt_run *run,
			      const struct kmqtt_strip *strip,
			      const struct kmqtt_batch *batch)
{
	return !strip->poor && !list_empty(&run->dirty) &&
	       batch->encoded == batch->nr_items && !batch->nr_paged &&
	       batch->bytes <= KMQTT_STRIP_MOST &&
	       kmqtt_bulk_is_worth(sizeof(struct kmqtt_laid) + batch->bytes,
				   batch->bytes);
}

int kmqtt_strip_encode(struct kmqtt_run *run, struct kmqtt_conn *conn,
		       struct kmqtt_batch *batch, gfp_t gfp)
{
	struct kmqtt_strip *strip;
	bool same;
	int ret;

	strip = kmqtt_strip_suits(conn, batch) ?
		kmqtt_strip_get(run, conn) : NULL;
	if (!strip)
		return kmqtt_batch_encode(conn, batch, gfp);
	same = kmqtt_strip_same(strip, batch);
	if (same && strip->laid) {
		refcount_inc(&strip->laid->ref);
		kmqtt_batch_lay(conn, batch, strip->laid, strip->laid->data,
				strip->laid->len);
		strip->held++;
		return 0;
	}
	if (!same)
		kmqtt_strip_note(strip, batch);
	ret = kmqtt_batch_encode(conn, batch, gfp);
	if (same && !ret && kmqtt_strip_worth(run, strip, batch))
		kmqtt_strip_make(strip, conn, batch);
	return ret;
}

void kmqtt_strip_age(struct kmqtt_run *run)
{
	if (run->strips && time_after(jiffies, run->strips->until))
		kmqtt_strip_drop(run);
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
