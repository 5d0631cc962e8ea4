// SPDX-License-Identifier: GPL-2.0
/* Packets on their way into one sendmsg(): taken, encoded, laid side by side. */
#include "batch.h"

#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include "broker.h"
#include "conn.h"
#include "core/wire.h"
#include "deliver.h"
#include "session.h"
#include "strip.h"

/*
 * A payload up to this size is copied next to its head: cheaper than one more
 * segment of the iterator.
 */
#define KMQTT_TX_COPY		512
/* Topics a client is told aliases for; they are searched one by one. */
#define KMQTT_ALIAS_OUT_MAX	64

static DEFINE_PER_CPU(struct kmqtt_batch *, kmqtt_batch_spare);

/* As with the receive buffers: taken away while in use. */
struct kmqtt_batch *kmqtt_batch_borrow(gfp_t gfp)
{
	struct kmqtt_batch *batch = this_cpu_xchg(kmqtt_batch_spare, NULL);

	return batch ?: kmalloc(sizeof(*batch), gfp | __GFP_NOWARN);
}

void kmqtt_batch_return(struct kmqtt_batch *batch)
{
	kfree(this_cpu_xchg(kmqtt_batch_spare, batch));
}

void kmqtt_batch_reset(struct kmqtt_batch *batch)
{
	batch->nr_items = 0;
	batch->encoded = 0;
	batch->nr_vec = 0;
	batch->vec_done = 0;
	batch->nr_paged = 0;
	batch->bytes = 0;
	batch->ctl = NULL;
	batch->ctl_size = 0;
	batch->big = NULL;
	batch->scratch_len = 0;
	batch->laid = NULL;
	batch->kept = false;
	batch->more = false;
	batch->barren = 0;
}

/* The head that needed a buffer of its own is sent. */
void kmqtt_batch_free_big(struct kmqtt_conn *conn, struct kmqtt_batch *batch)
{
	if (!batch->big)
		return;
	kmqtt_kvfree(batch->big);
	kmqtt_uncharge(conn->broker, batch->big_size);
	batch->big = NULL;
}

/* Everything in it is sent, or will never be. */
void kmqtt_batch_release(struct kmqtt_conn *conn, struct kmqtt_batch *batch)
{
	if (batch->nr_items)
		kmqtt_out_put_all(batch->items, batch->nr_items);
	kmqtt_batch_free_big(conn, batch);
	if (batch->ctl) {
		kmqtt_kvfree(batch->ctl);
		kmqtt_uncharge(conn->broker, batch->ctl_size);
		if (test_and_clear_bit(KMQTT_CONN_RX_PAUSED, &conn->flags))
			kmqtt_conn_queue_io(conn);
	}
	if (batch->kept)
		kmqtt_uncharge(conn->broker, kmqtt_batch_bytes(conn));
	if (batch->laid)
		kmqtt_laid_put(batch->laid);
}

void kmqtt_batch_next(struct kmqtt_conn *conn, struct kmqtt_batch *batch)
{
	batch->nr_vec = 0;
	batch->vec_done = 0;
	batch->nr_paged = 0;
	batch->scratch_len = 0;
	kmqtt_batch_free_big(conn, batch);
}

static void kmqtt_batch_add_vec(struct kmqtt_batch *batch, const void *base,
				size_t len)
{
	batch->bytes += len;
	batch->vec[batch->nr_vec].iov_base = (void *)base;
	batch->vec[batch->nr_vec].iov_len = len;
	batch->nr_vec++;
}

static void kmqtt_batch_add(struct kmqtt_batch *batch, const void *base,
			    size_t len)
{
	struct kvec *last = batch->nr_vec ? &batch->vec[batch->nr_vec - 1] :
					    NULL;

	if (!len)
		return;
	if (!last || last->iov_base + last->iov_len != base ||
	    (batch->nr_paged && test_bit(batch->nr_vec - 1, batch->paged))) {
		kmqtt_batch_add_vec(batch, base, len);
		return;
	}
	batch->bytes += len;
	last->iov_len += len;
}

/* Is the payload sent from where it is? */
static bool kmqtt_batch_pages(const struct kmqtt_conn *conn,
			      const struct kmqtt_msg *msg)
{
	return msg->paged && !kmqtt_transport_is_unix(conn);
}

static void kmqtt_batch_add_paged(struct kmqtt_batch *batch, const void *base,
				  size_t len)
{
	if (!batch->nr_paged++)
		bitmap_zero(batch->paged, KMQTT_TX_VECS);
	__set_bit(batch->nr_vec, batch->paged);
	kmqtt_batch_add_vec(batch, base, len);
}

/* With @ahead bytes that are right before it. */
static void kmqtt_batch_add_payload(struct kmqtt_conn *conn,
				    struct kmqtt_batch *batch,
				    const struct kmqtt_msg *msg, u32 ahead)
{
	const u8 *at = msg->payload.data - ahead;
	u32 len = msg->payload.len + ahead;

	if (!len)
		return;
	if (kmqtt_batch_pages(conn, msg))
		kmqtt_batch_add_paged(batch, at, len);
	else	/* It never is right behind what was added before. */
		kmqtt_batch_add_vec(batch, at, len);
}

void kmqtt_batch_start_control(struct kmqtt_conn *conn)
{
	conn->ctl = conn->ctl_few;
	conn->ctl_size = KMQTT_CTL_FEW;
	WRITE_ONCE(conn->ctl_len, 0);
}

void kmqtt_batch_take_control(struct kmqtt_conn *conn,
			      struct kmqtt_batch *batch)
{
	u32 len;

	if (!READ_ONCE(conn->ctl_len))
		return;
	spin_lock_bh(&conn->ctl_lock);
	len = conn->ctl_len;
	if (conn->ctl == conn->ctl_few) {
		memcpy(batch->scratch, conn->ctl, len);
		batch->scratch_len = len;
	} else {
		batch->ctl = conn->ctl;
		batch->ctl_size = conn->ctl_size;
	}
	kmqtt_batch_start_control(conn);
	spin_unlock_bh(&conn->ctl_lock);
	kmqtt_batch_add(batch, batch->ctl ?: batch->scratch, len);
}

/* Topic aliases we give: the first topics get them, for good. */

static u16 kmqtt_alias_known(const struct kmqtt_conn *conn,
			     const struct mqtt_str *topic)
{
	u16 i;

	for (i = 0; i < conn->alias_out_nr; i++)
		if (conn->alias_out[i].len == topic->len &&
		    !memcmp(conn->alias_out[i].data, topic->data, topic->len))
			return i + 1;
	return 0;
}

/* Return: a new alias, 0 if there is none to give. */
static u16 kmqtt_alias_give(struct kmqtt_conn *conn,
			    const struct mqtt_str *topic, gfp_t gfp)
{
	u16 max = min_t(u16, conn->alias_out_max, KMQTT_ALIAS_OUT_MAX);
	u8 *copy;

	if (conn->alias_out_nr >= max)
		return 0;
	if (!conn->alias_out)
		conn->alias_out = kcalloc(max, sizeof(*conn->alias_out), gfp);
	if (!conn->alias_out)
		return 0;
	if (!kmqtt_charge_share(conn->broker, topic->len, KMQTT_HOLD))
		return 0;
	copy = kmemdup(topic->data, topic->len, gfp | __GFP_NOWARN);
	if (!copy) {
		kmqtt_uncharge(conn->broker, topic->len);
		return 0;
	}
	conn->alias_out[conn->alias_out_nr].data = copy;
	conn->alias_out[conn->alias_out_nr].len = topic->len;
	return ++conn->alias_out_nr;
}

/* The head that was to tell the newest alias is not sent: nobody knows it. */
static void kmqtt_alias_take_back(struct kmqtt_conn *conn, u16 nr)
{
	struct mqtt_str *last;

	if (conn->alias_out_nr == nr)
		return;
	last = &conn->alias_out[--conn->alias_out_nr];
	kmqtt_uncharge(conn->broker, last->len);
	kfree(last->data);
}

static bool kmqtt_batch_fits(const struct kmqtt_conn *conn,
			     const struct mqtt_publish_out *head)
{
	u32 total;

	mqtt_publish_head_len(head, &total);
	return total <= (conn->client_max_packet ?: MQTT_PACKET_MAX);
}

/* An alias takes three bytes, so shorter topics are sent as they are. */
static void kmqtt_batch_alias(struct kmqtt_conn *conn,
			      struct mqtt_publish_out *head, gfp_t gfp)
{
	if (!conn->alias_out_max || head->topic.len <= 3)
		return;
	head->topic_alias = kmqtt_alias_known(conn, &head->topic);
	if (head->topic_alias) {
		head->topic.len = 0;
		return;
	}
	/* Topic and alias must fit together [MQTT-3.1.2-24]. */
	head->topic_alias = 1;
	if (kmqtt_batch_fits(conn, head))
		head->topic_alias = kmqtt_alias_give(conn, &head->topic,
						     gfp);
	else
		head->topic_alias = 0;
}

static void kmqtt_batch_head(struct kmqtt_conn *conn,
			     const struct kmqtt_tx_item *item,
			     struct mqtt_publish_out *head, gfp_t gfp)
{
	const struct kmqtt_out *out = item->out;
	const struct kmqtt_msg *msg = item->msg;
	u64 now;

	memset(head, 0, sizeof(*head));
	head->version = conn->version;
	head->flags = item->flags;
	head->packet_id = item->packet_id;
	head->payload_len = msg->payload.len;
	head->topic = msg->topic;
	if (conn->version != MQTT_V5)
		return;
	if (out) {
		head->nr_sub_ids = out->nr_ids;
		head->sub_ids = kmqtt_out_ids(out);
	}
	head->props = msg->props;
	if (msg->expires) {
		/* Less the time it has waited here [MQTT-3.3.2-6]. */
		now = get_jiffies_64();
		head->has_expiry = true;
		head->message_expiry = kmqtt_msg_expired(msg, now) ? 0 :
			DIV_ROUND_UP_ULL(msg->expires - now, HZ);
	}
	kmqtt_batch_alias(conn, head, gfp);
}

/* Where to put @len bytes of a head. NULL: after this batch, or no memory. */
static u8 *kmqtt_batch_room(struct kmqtt_broker *broker,
			    struct kmqtt_batch *batch, u32 len, gfp_t gfp)
{
	u8 *at;

	if (KMQTT_TX_SCRATCH - batch->scratch_len >= len) {
		at = batch->scratch + batch->scratch_len;
		batch->scratch_len += len;
		return at;
	}
	if (len <= KMQTT_TX_SCRATCH || batch->big)
		return NULL;
	if (!kmqtt_charge(broker, len))
		return NULL;
	batch->big = kvmalloc(len, gfp | __GFP_NOWARN);
	if (!batch->big)
		kmqtt_uncharge(broker, len);
	batch->big_size = len;
	return batch->big;
}

/*
 * Where there are many subscribers, the packet has been made for all of them.
 * Return: false if not for this one.
 */
static bool kmqtt_batch_copy_image(struct kmqtt_conn *conn,
				   struct kmqtt_batch *batch,
				   const struct kmqtt_tx_item *item)
{
	const struct kmqtt_out *out = item->out;
	const struct kmqtt_msg *msg = item->msg;
	const struct kmqtt_image *image;
	u8 *at = batch->scratch + batch->scratch_len;

	image = kmqtt_msg_image(msg, conn->version, out ? out->qos : 0);
	if (!image || (out && out->nr_ids) || conn->alias_out_max ||
	    KMQTT_TX_SCRATCH - batch->scratch_len < image->len)
		return false;
	if (image->ahead && !item->flags) {
		kmqtt_batch_add_payload(conn, batch, msg, image->len);
		return true;
	}
	memcpy(at, image->data, image->len);
	at[0] |= item->flags;
	if (image->pid_at)
		mqtt_put_u16(at + image->pid_at, item->packet_id);
	batch->scratch_len += image->len;
	kmqtt_batch_add(batch, at, image->len);
	if (!image->whole)
		kmqtt_batch_add_payload(conn, batch, msg, 0);
	return true;
}

/* Return: 0, -ENOBUFS: the batch is full, -ENOMEM. */
static int kmqtt_batch_encode_publish(struct kmqtt_conn *conn,
				      struct kmqtt_batch *batch,
				      const struct kmqtt_tx_item *item,
				      gfp_t gfp)
{
	const struct mqtt_str *payload = &item->msg->payload;
	u16 aliases = conn->alias_out_nr;
	struct mqtt_publish_out head;
	u32 len;
	u8 *at;

	kmqtt_batch_head(conn, item, &head, gfp);
	len = mqtt_publish_head_len(&head, NULL);
	at = kmqtt_batch_room(conn->broker, batch, len, gfp);
	if (!at) {
		kmqtt_alias_take_back(conn, aliases);
		return batch->nr_vec ? -ENOBUFS : -ENOMEM;
	}
	mqtt_encode_publish_head(at, len, &head);
	kmqtt_batch_add(batch, at, len);
	if (payload->len <= KMQTT_TX_COPY &&
	    KMQTT_TX_SCRATCH - batch->scratch_len >= payload->len) {
		at = batch->scratch + batch->scratch_len;
		memcpy(at, payload->data, payload->len);
		batch->scratch_len += payload->len;
		kmqtt_batch_add(batch, at, payload->len);
	} else {
		kmqtt_batch_add_payload(conn, batch, item->msg, 0);
	}
	return 0;
}

static int kmqtt_batch_encode_pubrel(struct kmqtt_conn *conn,
				     struct kmqtt_batch *batch,
				     const struct kmqtt_tx_item *item)
{
	u8 *at = batch->scratch + batch->scratch_len;
	int len;

	len = mqtt_encode_ack(at, KMQTT_TX_SCRATCH - batch->scratch_len,
			      MQTT_PUBREL, conn->version,
			      item->packet_id, 0);
	if (len < 0)
		return -ENOBUFS;
	batch->scratch_len += len;
	kmqtt_batch_add(batch, at, len);
	return 0;
}

static int kmqtt_batch_encode_item(struct kmqtt_conn *conn,
				   struct kmqtt_batch *batch,
				   const struct kmqtt_tx_item *item, gfp_t gfp)
{
	if (item->pubrel)
		return kmqtt_batch_encode_pubrel(conn, batch, item);
	if (kmqtt_batch_copy_image(conn, batch, item))
		return 0;
	return kmqtt_batch_encode_publish(conn, batch, item, gfp);
}

static void kmqtt_batch_count(struct kmqtt_conn *conn, u32 packets,
			      u32 publishes)
{
	conn->packets_out += packets;
	kmqtt_stat_add(conn->broker, KMQTT_STAT_PACKETS_SENT, packets);
	kmqtt_stat_add(conn->broker, KMQTT_STAT_PUBLISH_SENT, publishes);
}

/* Return: 0: @vec holds what fits, -ENOMEM. */
int kmqtt_batch_encode(struct kmqtt_conn *conn, struct kmqtt_batch *batch,
		       gfp_t gfp)
{
	u32 before = batch->encoded, publishes = 0;
	const struct kmqtt_tx_item *item;
	int ret = 0;

	while (batch->encoded < batch->nr_items &&
	       batch->bytes < KMQTT_TX_BYTES) {
		item = &batch->items[batch->encoded];
		ret = kmqtt_batch_encode_item(conn, batch, item, gfp);
		if (ret)
			break;
		batch->encoded++;
		publishes += !item->pubrel;
	}
	kmqtt_batch_count(conn, batch->encoded - before, publishes);
	return ret == -ENOBUFS ? 0 : ret;
}

void kmqtt_batch_lay(struct kmqtt_conn *conn, struct kmqtt_batch *batch,
		     struct kmqtt_laid *laid, const u8 *data, u32 len)
{
	batch->laid = laid;
	kmqtt_batch_add_paged(batch, data, len);
	kmqtt_batch_count(conn, batch->nr_items, batch->nr_items);
	batch->nr_items = 0;
}

/*
 * Deliveries that are due to @conn, while it owns its session; KMQTT_CONN_TX_OPEN
 * was seen set.
 */
void kmqtt_batch_take_items(struct kmqtt_conn *conn,
			    struct kmqtt_batch *batch)
{
	struct kmqtt_session *session = conn->session;
	const struct kmqtt_msg *msg;
	u32 bytes = 0;
	u64 dropped;
	int ret = 0;

	spin_lock_bh(&session->lock);
	if (session->conn == conn) {
		dropped = session->dropped;
		ret = kmqtt_deliver_refill(session);
		while (batch->nr_items < KMQTT_TX_ITEMS &&
		       bytes < KMQTT_TX_BYTES &&
		       kmqtt_deliver_ready(session) &&
		       kmqtt_deliver_next(session,
					  &batch->items[batch->nr_items])) {
			msg = batch->items[batch->nr_items++].msg;
			bytes += min_t(u32, kmqtt_msg_size(msg),
				       KMQTT_TX_BYTES);
		}
		/*
		 * Dropped ones, or passed over, have made room for others, as
		 * these will for a replay.
		 */
		batch->more = batch->nr_items == KMQTT_TX_ITEMS ||
			      bytes >= KMQTT_TX_BYTES || ret == -EAGAIN ||
			      session->dropped != dropped ||
			      (batch->nr_items && !list_empty(&session->replays));
	}
	spin_unlock_bh(&session->lock);
	/* Nothing else may come to try again what lacked memory. */
	if (ret == -ENOMEM)
		kmqtt_conn_send_later(conn);
}

void kmqtt_batch_free_aliases(struct kmqtt_conn *conn)
{
	u16 i;

	for (i = 0; i < conn->alias_out_nr; i++) {
		kmqtt_uncharge(conn->broker, conn->alias_out[i].len);
		kfree(conn->alias_out[i].data);
	}
	kfree(conn->alias_out);
}

void kmqtt_batch_uninit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kfree(per_cpu(kmqtt_batch_spare, cpu));
}
