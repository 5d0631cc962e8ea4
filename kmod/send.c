// SPDX-License-Identifier: GPL-2.0
/*
 * Out to the socket. Whoever has something for a connection kicks it; the
 * first one owns the sending side until all kicks so far are served, the
 * others go on with their work. So nobody waits, nothing is sent twice, and
 * what came together leaves together: control packets first, then deliveries,
 * many packets in one sendmsg().
 *
 * What the socket does not take at once stays in its batch, which then
 * belongs to the connection until sk_write_space() says go on.
 */
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "broker.h"
#include "conn.h"
#include "datapath.h"
#include "session.h"

/* Deliveries in one sendmsg(), and the bytes after which no more are added. */
#define KMQTT_TX_ITEMS		64
#define KMQTT_TX_BYTES		262144
/* Room for heads and small payloads of a batch. */
#define KMQTT_TX_SCRATCH	8192
/* A payload up to this size is copied next to its head: cheaper than one more
 * segment of the iterator. */
#define KMQTT_TX_COPY		512
/* Batches in one go before other connections get their turn. */
#define KMQTT_TX_BUDGET		16
/* Control packets: first allocation. */
#define KMQTT_CTL_FIRST		64
/* Topics a client is told aliases for; they are searched one by one. */
#define KMQTT_ALIAS_OUT_MAX	64

/**
 * struct kmqtt_tx_batch - packets on their way into a socket
 * @items: taken from the session, referenced
 * @nr_items: how many
 * @encoded: of these, already in @vec
 * @vec: what to send, in order: the control packets, pieces of @scratch and
 *	of @big, payloads
 * @nr_vec: how many
 * @vec_done: of these, sent
 * @bytes: in @vec, not sent yet
 * @ctl: control packets taken from the connection, or NULL
 * @ctl_size: bytes allocated for it
 * @big: head of a message whose topic or properties pass @scratch, or NULL
 * @scratch_len: bytes used
 * @kept: charged, since it belongs to a connection
 * @scratch: heads and small payloads
 */
struct kmqtt_tx_batch {
	struct kmqtt_tx_item items[KMQTT_TX_ITEMS];
	u32 nr_items;
	u32 encoded;
	struct kvec vec[2 * KMQTT_TX_ITEMS + 1];
	u32 nr_vec;
	u32 vec_done;
	size_t bytes;
	u8 *ctl;
	u32 ctl_size;
	u8 *big;
	u32 scratch_len;
	bool kept;
	u8 scratch[KMQTT_TX_SCRATCH];
};

static DEFINE_PER_CPU(struct kmqtt_tx_batch *, kmqtt_tx_spare);

/* As with the receive buffers: taken away while in use. */
static struct kmqtt_tx_batch *kmqtt_tx_borrow(void)
{
	struct kmqtt_tx_batch *batch = this_cpu_xchg(kmqtt_tx_spare, NULL);

	return batch ?: kmalloc(sizeof(*batch), GFP_KERNEL);
}

static void kmqtt_tx_return(struct kmqtt_tx_batch *batch)
{
	kfree(this_cpu_xchg(kmqtt_tx_spare, batch));
}

static void kmqtt_tx_reset(struct kmqtt_tx_batch *batch)
{
	batch->nr_items = 0;
	batch->encoded = 0;
	batch->nr_vec = 0;
	batch->vec_done = 0;
	batch->bytes = 0;
	batch->ctl = NULL;
	batch->ctl_size = 0;
	batch->big = NULL;
	batch->scratch_len = 0;
	batch->kept = false;
}

/* Everything in it is sent, or will never be. */
static void kmqtt_tx_release(struct kmqtt_conn *conn,
			     struct kmqtt_tx_batch *batch)
{
	u32 i;

	for (i = 0; i < batch->nr_items; i++)
		kmqtt_out_put(batch->items[i].out);
	kvfree(batch->big);
	if (batch->ctl) {
		kfree(batch->ctl);
		kmqtt_uncharge(conn->broker, batch->ctl_size);
		if (test_and_clear_bit(KMQTT_CONN_RX_PAUSED, &conn->flags))
			kmqtt_conn_queue_io(conn);
	}
	if (batch->kept)
		kmqtt_uncharge(conn->broker, sizeof(*batch));
}

static void kmqtt_tx_add(struct kmqtt_tx_batch *batch, const void *base,
			 size_t len)
{
	struct kvec *last = batch->nr_vec ? &batch->vec[batch->nr_vec - 1] :
					    NULL;

	if (!len)
		return;
	batch->bytes += len;
	if (last && last->iov_base + last->iov_len == base) {
		last->iov_len += len;
		return;
	}
	batch->vec[batch->nr_vec].iov_base = (void *)base;
	batch->vec[batch->nr_vec].iov_len = len;
	batch->nr_vec++;
}

/* Control packets: kmalloc()ed bytes that grow under ctl_lock. */

static u8 *kmqtt_ctl_alloc(struct kmqtt_broker *broker, u32 size)
{
	u8 *buf = kmalloc(size, GFP_KERNEL);

	if (buf)
		kmqtt_charge_always(broker, size);
	return buf;
}

static void kmqtt_ctl_free(struct kmqtt_broker *broker, u8 *buf, u32 size)
{
	if (!buf)
		return;
	kfree(buf);
	kmqtt_uncharge(broker, size);
}

/* ctl_lock held. Return: false: no room. */
static bool kmqtt_ctl_append(struct kmqtt_conn *conn, const u8 *buf, u32 len)
{
	if (conn->ctl_size - conn->ctl_len < len)
		return false;
	memcpy(conn->ctl + conn->ctl_len, buf, len);
	WRITE_ONCE(conn->ctl_len, conn->ctl_len + len);
	return true;
}

/* ctl_lock held. The old buffer comes back in @buf and @size. */
static void kmqtt_ctl_replace(struct kmqtt_conn *conn, u8 **buf, u32 *size)
{
	if (conn->ctl_len)
		memcpy(*buf, conn->ctl, conn->ctl_len);
	swap(*buf, conn->ctl);
	swap(*size, conn->ctl_size);
}

int kmqtt_send_control(struct kmqtt_conn *conn, const u8 *buf, u32 len)
{
	u8 *bigger = NULL;
	u32 size = 0, want;

	for (;;) {
		spin_lock(&conn->ctl_lock);
		if (size >= conn->ctl_len + len &&
		    conn->ctl_size < conn->ctl_len + len)
			kmqtt_ctl_replace(conn, &bigger, &size);
		if (kmqtt_ctl_append(conn, buf, len))
			break;
		want = max3((u32)KMQTT_CTL_FIRST, 2 * conn->ctl_len,
			    conn->ctl_len + len);
		spin_unlock(&conn->ctl_lock);
		kmqtt_ctl_free(conn->broker, bigger, size);
		size = want;
		bigger = kmqtt_ctl_alloc(conn->broker, size);
		if (!bigger)
			return -ENOMEM;
	}
	conn->control_out++;
	spin_unlock(&conn->ctl_lock);
	kmqtt_stat_inc(conn->broker, KMQTT_STAT_PACKETS_SENT);
	kmqtt_ctl_free(conn->broker, bigger, size);
	return 0;
}

static void kmqtt_tx_take_control(struct kmqtt_conn *conn,
				  struct kmqtt_tx_batch *batch)
{
	u32 len;

	if (!READ_ONCE(conn->ctl_len))
		return;
	spin_lock(&conn->ctl_lock);
	batch->ctl = conn->ctl;
	batch->ctl_size = conn->ctl_size;
	len = conn->ctl_len;
	conn->ctl = NULL;
	conn->ctl_size = 0;
	WRITE_ONCE(conn->ctl_len, 0);
	spin_unlock(&conn->ctl_lock);
	kmqtt_tx_add(batch, batch->ctl, len);
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
			    const struct mqtt_str *topic)
{
	u16 max = min_t(u16, conn->alias_out_max, KMQTT_ALIAS_OUT_MAX);
	u8 *copy;

	if (conn->alias_out_nr >= max)
		return 0;
	if (!conn->alias_out)
		conn->alias_out = kcalloc(max, sizeof(*conn->alias_out),
					  GFP_KERNEL);
	if (!conn->alias_out)
		return 0;
	copy = kmemdup(topic->data, topic->len, GFP_KERNEL);
	if (!copy)
		return 0;
	kmqtt_charge_always(conn->broker, topic->len);
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

static bool kmqtt_tx_fits(const struct kmqtt_conn *conn,
			  const struct mqtt_publish_out *head)
{
	u32 total;

	mqtt_publish_head_len(head, &total);
	return total <= (conn->client_max_packet ?: MQTT_PACKET_MAX);
}

/* An alias takes three bytes, so shorter topics are sent as they are. */
static void kmqtt_tx_alias(struct kmqtt_conn *conn,
			   struct mqtt_publish_out *head)
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
	if (kmqtt_tx_fits(conn, head))
		head->topic_alias = kmqtt_alias_give(conn, &head->topic);
	else
		head->topic_alias = 0;
}

static void kmqtt_tx_head(struct kmqtt_conn *conn,
			  const struct kmqtt_tx_item *item,
			  struct mqtt_publish_out *head)
{
	const struct kmqtt_out *out = item->out;
	const struct kmqtt_msg *msg = out->msg;
	u64 now;

	memset(head, 0, sizeof(*head));
	head->version = conn->version;
	head->flags = item->flags;
	head->packet_id = item->packet_id;
	head->payload_len = msg->payload.len;
	head->topic = msg->topic;
	if (conn->version != MQTT_V5)
		return;
	head->nr_sub_ids = out->nr_ids;
	head->sub_ids = kmqtt_out_ids(out);
	head->props = msg->props;
	if (msg->expires) {
		/* Less the time it has waited here [MQTT-3.3.2-6]. */
		now = get_jiffies_64();
		head->has_expiry = true;
		head->message_expiry = kmqtt_msg_expired(msg, now) ? 0 :
			DIV_ROUND_UP_ULL(msg->expires - now, HZ);
	}
	kmqtt_tx_alias(conn, head);
}

/* Where to put @len bytes of a head. NULL: after this batch, or no memory. */
static u8 *kmqtt_tx_room(struct kmqtt_tx_batch *batch, u32 len)
{
	u8 *at;

	if (KMQTT_TX_SCRATCH - batch->scratch_len >= len) {
		at = batch->scratch + batch->scratch_len;
		batch->scratch_len += len;
		return at;
	}
	if (len <= KMQTT_TX_SCRATCH || batch->big)
		return NULL;
	batch->big = kvmalloc(len, GFP_KERNEL);
	return batch->big;
}

/* Return: 0, -EAGAIN: the batch is full, -ENOMEM. */
static int kmqtt_tx_encode_publish(struct kmqtt_conn *conn,
				   struct kmqtt_tx_batch *batch,
				   const struct kmqtt_tx_item *item)
{
	const struct mqtt_str *payload = &item->out->msg->payload;
	u16 aliases = conn->alias_out_nr;
	struct mqtt_publish_out head;
	u32 len;
	u8 *at;

	kmqtt_tx_head(conn, item, &head);
	len = mqtt_publish_head_len(&head, NULL);
	at = kmqtt_tx_room(batch, len);
	if (!at) {
		kmqtt_alias_take_back(conn, aliases);
		return batch->nr_vec ? -EAGAIN : -ENOMEM;
	}
	mqtt_encode_publish_head(at, len, &head);
	kmqtt_tx_add(batch, at, len);
	if (payload->len <= KMQTT_TX_COPY &&
	    KMQTT_TX_SCRATCH - batch->scratch_len >= payload->len) {
		at = batch->scratch + batch->scratch_len;
		memcpy(at, payload->data, payload->len);
		batch->scratch_len += payload->len;
		kmqtt_tx_add(batch, at, payload->len);
	} else {
		kmqtt_tx_add(batch, payload->data, payload->len);
	}
	kmqtt_stat_inc(conn->broker, KMQTT_STAT_PUBLISH_SENT);
	return 0;
}

static int kmqtt_tx_encode_pubrel(struct kmqtt_conn *conn,
				  struct kmqtt_tx_batch *batch,
				  const struct kmqtt_tx_item *item)
{
	u8 *at = batch->scratch + batch->scratch_len;
	int len;

	len = mqtt_encode_ack(at, KMQTT_TX_SCRATCH - batch->scratch_len,
			      MQTT_PUBREL, conn->version,
			      item->packet_id, 0);
	if (len < 0)
		return -EAGAIN;
	batch->scratch_len += len;
	kmqtt_tx_add(batch, at, len);
	return 0;
}

static int kmqtt_tx_encode(struct kmqtt_conn *conn,
			   struct kmqtt_tx_batch *batch)
{
	const struct kmqtt_tx_item *item;
	int ret;

	while (batch->encoded < batch->nr_items &&
	       batch->bytes < KMQTT_TX_BYTES) {
		item = &batch->items[batch->encoded];
		if (item->pubrel)
			ret = kmqtt_tx_encode_pubrel(conn, batch, item);
		else
			ret = kmqtt_tx_encode_publish(conn, batch, item);
		if (ret == -EAGAIN)
			return 0;
		if (ret)
			return ret;
		batch->encoded++;
		conn->packets_out++;
		kmqtt_stat_inc(conn->broker, KMQTT_STAT_PACKETS_SENT);
	}
	return 0;
}

/* Deliveries that are due to @conn, while it owns its session. */
static void kmqtt_tx_take_items(struct kmqtt_conn *conn,
				struct kmqtt_tx_batch *batch)
{
	struct kmqtt_session *session = conn->session;
	int ret = 0;

	if (!test_bit(KMQTT_CONN_TX_OPEN, &conn->flags))
		return;
	spin_lock(&session->lock);
	if (session->conn == conn) {
		ret = kmqtt_deliver_refill(session);
		while (batch->nr_items < KMQTT_TX_ITEMS &&
		       kmqtt_deliver_next(session,
					  &batch->items[batch->nr_items]))
			batch->nr_items++;
	}
	spin_unlock(&session->lock);
	/* Nothing else may come to try again what lacked memory. */
	if (ret && !batch->nr_items)
		kmqtt_conn_set_timer(conn, 1);
}

/* Return: 0 all sent, -EAGAIN, or what the socket says. */
static int kmqtt_tx_push(struct kmqtt_conn *conn, struct kmqtt_tx_batch *batch)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec *vec = batch->vec + batch->vec_done;
	int sent;

	sent = kernel_sendmsg(conn->sock, &msg, vec,
			      batch->nr_vec - batch->vec_done, batch->bytes);
	if (sent < 0)
		return sent;
	conn->bytes_out += sent;
	kmqtt_stat_add(conn->broker, KMQTT_STAT_BYTES_SENT, sent);
	batch->bytes -= sent;
	while (sent && sent >= vec->iov_len) {
		sent -= vec->iov_len;
		vec++;
	}
	if (sent) {
		vec->iov_base += sent;
		vec->iov_len -= sent;
	}
	batch->vec_done = vec - batch->vec;
	return batch->bytes ? -EAGAIN : 0;
}

/*
 * The socket is full: the batch waits with the connection.
 * Return: true if it has room again already.
 */
static bool kmqtt_tx_block(struct kmqtt_conn *conn,
			   struct kmqtt_tx_batch *batch)
{
	struct sock *sk = conn->sock->sk;

	if (!batch->kept)
		kmqtt_charge_always(conn->broker, sizeof(*batch));
	batch->kept = true;
	conn->rest = batch;
	set_bit(KMQTT_CONN_TX_BLOCKED, &conn->flags);
	set_bit(SOCK_NOSPACE, &conn->sock->flags);
	smp_mb__after_atomic();	/* pairs with kmqtt_conn_write_space() */
	return sk_stream_is_writeable(sk) &&
	       test_and_clear_bit(KMQTT_CONN_TX_BLOCKED, &conn->flags);
}

static void kmqtt_tx_fail(struct kmqtt_conn *conn, struct kmqtt_tx_batch *batch)
{
	set_bit(KMQTT_CONN_TX_DEAD, &conn->flags);
	kmqtt_tx_release(conn, batch);
	kmqtt_tx_return(batch);
	kmqtt_conn_close_silently(conn, MQTT_RC_UNSPECIFIED);
}

/* The last control packet is out. */
static void kmqtt_tx_idle(struct kmqtt_conn *conn)
{
	if (!test_bit(KMQTT_CONN_TX_FIN, &conn->flags))
		return;
	set_bit(KMQTT_CONN_TX_DEAD, &conn->flags);
	kernel_sock_shutdown(conn->sock, SHUT_WR);
}

static struct kmqtt_tx_batch *kmqtt_tx_next(struct kmqtt_conn *conn)
{
	struct kmqtt_tx_batch *batch = conn->rest;

	if (batch) {
		conn->rest = NULL;
		return batch;
	}
	batch = kmqtt_tx_borrow();
	if (!batch) {
		/* Everything stays queued; try again when memory is there. */
		kmqtt_conn_set_timer(conn, HZ / 10);
		return NULL;
	}
	kmqtt_tx_reset(batch);
	kmqtt_tx_take_control(conn, batch);
	kmqtt_tx_take_items(conn, batch);
	return batch;
}

/* One batch, or what is left of it. Return: true if there may be more. */
static bool kmqtt_tx_round(struct kmqtt_conn *conn)
{
	struct kmqtt_tx_batch *batch;
	int ret;

	if (test_bit(KMQTT_CONN_TX_DEAD, &conn->flags) ||
	    test_bit(KMQTT_CONN_TX_BLOCKED, &conn->flags))
		return false;
	batch = kmqtt_tx_next(conn);
	if (!batch)
		return false;
	ret = kmqtt_tx_encode(conn, batch);
	if (!ret && !batch->bytes) {
		kmqtt_tx_return(batch);
		kmqtt_tx_idle(conn);
		return false;
	}
	while (!ret && batch->bytes) {
		ret = kmqtt_tx_push(conn, batch);
		if (ret)
			break;
		batch->nr_vec = 0;
		batch->vec_done = 0;
		batch->scratch_len = 0;
		kvfree(batch->big);
		batch->big = NULL;
		ret = kmqtt_tx_encode(conn, batch);
	}
	if (ret == -EAGAIN)
		return kmqtt_tx_block(conn, batch);
	if (ret) {
		kmqtt_tx_fail(conn, batch);
		return false;
	}
	kmqtt_tx_release(conn, batch);
	kmqtt_tx_return(batch);
	return true;
}

void kmqtt_send_kick(struct kmqtt_conn *conn)
{
	int budget = KMQTT_TX_BUDGET, seen;

	if (atomic_inc_return(&conn->tx_kicks) != 1)
		return;
	do {
		seen = atomic_read(&conn->tx_kicks);
		while (kmqtt_tx_round(conn)) {
			if (--budget)
				continue;
			/* Kicks that came meanwhile are served by the work. */
			atomic_set_release(&conn->tx_kicks, 0);
			kmqtt_conn_queue_tx(conn);
			return;
		}
	} while (atomic_sub_return(seen, &conn->tx_kicks));
}

void kmqtt_send_mark(struct kmqtt_run *run, struct kmqtt_conn *conn)
{
	/*
	 * Another run has it on its list and has not come to it: it will send
	 * ours as well, since what we queued is visible before the bit is.
	 */
	if (test_and_set_bit(KMQTT_CONN_DIRTY, &conn->flags))
		return;
	kmqtt_conn_get(conn);
	list_add_tail(&conn->dirty, &run->dirty);
	run->nr_dirty++;
}

void kmqtt_send_flush(struct kmqtt_run *run)
{
	struct kmqtt_conn *conn;

	while ((conn = list_first_entry_or_null(&run->dirty, struct kmqtt_conn,
						dirty))) {
		list_del_init(&conn->dirty);
		clear_bit(KMQTT_CONN_DIRTY, &conn->flags);
		smp_mb__after_atomic();	/* pairs with the bit in mark */
		kmqtt_send_kick(conn);
		kmqtt_conn_put(conn);
		cond_resched();
	}
	run->nr_dirty = 0;
	run->full = false;
}

void kmqtt_send_free(struct kmqtt_conn *conn)
{
	u16 i;

	if (conn->rest) {
		kmqtt_tx_release(conn, conn->rest);
		kfree(conn->rest);
	}
	kmqtt_ctl_free(conn->broker, conn->ctl, conn->ctl_size);
	for (i = 0; i < conn->alias_out_nr; i++) {
		kmqtt_uncharge(conn->broker, conn->alias_out[i].len);
		kfree(conn->alias_out[i].data);
	}
	kfree(conn->alias_out);
}

int kmqtt_send_init(void)
{
	return 0;
}

void kmqtt_send_uninit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kfree(per_cpu(kmqtt_tx_spare, cpu));
}
