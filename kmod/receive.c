// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes to packets. What is there is read into a buffer of the CPU's and
 * handled in place; only an incomplete packet at its end moves to a buffer of
 * the connection's, so an idle connection holds none.
 */
#include <linux/net.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/un.h>
#include <net/sock.h>
#include "broker.h"
#include "bulk.h"
#include "burst.h"
#include "conn.h"
#include "datapath.h"
#include "express.h"
#include "gather.h"
#include "out.h"
#include "transport.h"

/* One read, and how many of them before other connections get their turn. */
#define KMQTT_RX_CHUNK		65536
#define KMQTT_RX_BUDGET		4
/*
 * First buffer of an incomplete packet, which there is even at memory_max; it
 * doubles as bytes really come.
 */
#define KMQTT_RX_FIRST		1024
/* Up to this size it goes on as long as connections do. */
#define KMQTT_RX_SMALL		4096
/* Answers the client has not taken: beyond this it is not read any more. */
#define KMQTT_RX_PAUSE_AT	65536
/* The same when memory is short. */
#define KMQTT_RX_PAUSE_SHORT	1024

static DEFINE_PER_CPU(u8 *, kmqtt_rx_spare);

/*
 * A work item may sleep and another run on its CPU: the buffer is taken away
 * while in use, and a second one is allocated then.
 */
static u8 *kmqtt_rx_borrow(void)
{
	u8 *buf = this_cpu_xchg(kmqtt_rx_spare, NULL);

	return buf ?: kvmalloc(KMQTT_RX_CHUNK, GFP_KERNEL | __GFP_NOWARN);
}

static void kmqtt_rx_return(u8 *buf)
{
	kvfree(this_cpu_xchg(kmqtt_rx_spare, buf));
}

static void kmqtt_receive_count(struct kmqtt_conn *conn, u8 reason)
{
	struct kmqtt_broker *broker = conn->broker;

	switch (reason) {
	case MQTT_RC_MALFORMED_PACKET:
		kmqtt_stat_inc(broker, KMQTT_STAT_MALFORMED_PACKETS);
		break;
	case MQTT_RC_PACKET_TOO_LARGE:
		kmqtt_stat_inc(broker, KMQTT_STAT_OVERSIZE_PACKETS);
		break;
	case MQTT_RC_QUOTA_EXCEEDED:
		kmqtt_stat_inc(broker, KMQTT_STAT_DROPPED_MEMORY);
		break;
	default:
		kmqtt_stat_inc(broker, KMQTT_STAT_PROTOCOL_ERRORS);
	}
}

static void kmqtt_receive_log(const struct kmqtt_conn *conn, u8 reason)
{
	const struct sockaddr *addr = kmqtt_transport_addr(conn);

	if (addr->sa_family == AF_UNIX)
		net_info_ratelimited("kmqtt: unix:%s: closed for reason 0x%02x\n",
				     ((struct sockaddr_un *)addr)->sun_path,
				     reason);
	else
		net_info_ratelimited("kmqtt: %pISpc: closed for reason 0x%02x\n",
				     addr, reason);
}

/* The peer broke the rules: say so once, count it, end the connection. */
void kmqtt_receive_fail(struct kmqtt_conn *conn, u8 reason)
{
	/* It was closed meanwhile, which may be why: that is not its fault. */
	if (kmqtt_conn_closing(conn))
		return;
	kmqtt_receive_count(conn, reason);
	kmqtt_receive_log(conn, reason);
	if (conn->state == KMQTT_CONN_UP)
		kmqtt_conn_close(conn, reason);
	else
		kmqtt_connect_refuse(conn, reason);
}

/* Free a buffer of @conn's, or what was one. */
static void kmqtt_receive_free_buf(struct kmqtt_conn *conn, void *buf, u32 size)
{
	if (!buf)
		return;
	kmqtt_bulk_free(buf, kmqtt_bulk_is_page(buf, size));
	kmqtt_uncharge(conn->broker, size);
}

void kmqtt_receive_free(struct kmqtt_conn *conn)
{
	if (!conn->rx_buf)
		return;
	kmqtt_receive_free_buf(conn, conn->rx_buf, conn->rx_size);
	conn->rx_buf = NULL;
	conn->rx_len = 0;
	conn->rx_size = 0;
	conn->rx_need = 0;
}

/* Make room for @size bytes of an incomplete packet. */
static u8 kmqtt_receive_reserve(struct kmqtt_conn *conn, u32 size)
{
	u8 *buf;

	if (size <= conn->rx_size)
		return 0;
	/*
	 * At memory_max messages are dropped, publishers of small ones are not:
	 * each read may end in the middle of one. Those of larger ones are when
	 * nobody new is let in either.
	 */
	if (size <= KMQTT_RX_FIRST)
		kmqtt_charge_always(conn->broker, size);
	else if (!kmqtt_charge_share(conn->broker, size, size <= KMQTT_RX_SMALL ?
				     KMQTT_CONNECT : KMQTT_HOLD))
		return MQTT_RC_QUOTA_EXCEEDED;
	buf = kmqtt_bulk_alloc(size);
	if (!buf) {
		kmqtt_uncharge(conn->broker, size);
		return MQTT_RC_QUOTA_EXCEEDED;
	}
	memcpy(buf, conn->rx_buf, conn->rx_len);
	kmqtt_receive_free_buf(conn, conn->rx_buf, conn->rx_size);
	conn->rx_buf = buf;
	conn->rx_size = size;
	return 0;
}

/* Is a packet with this header welcome here, before its body is read? */
u8 kmqtt_receive_admit(struct kmqtt_conn *conn, const struct mqtt_fixed *fixed)
{
	u8 reason;

	if (conn->state == KMQTT_CONN_NEW && fixed->type != MQTT_CONNECT)
		return MQTT_RC_PROTOCOL_ERROR;	/* [MQTT-3.1.0-1] */
	reason = mqtt_decode_flags(fixed, conn->version ?: MQTT_V5);
	if (reason)
		return reason;
	if (fixed->len + fixed->remaining > conn->max_packet)
		return MQTT_RC_PACKET_TOO_LARGE;
	return 0;
}

static u8 kmqtt_receive_ping(struct kmqtt_run *run, struct kmqtt_conn *conn,
			     u32 len)
{
	u8 buf[2];

	if (len)
		return MQTT_RC_MALFORMED_PACKET;
	if (kmqtt_send_control(conn, buf,
			       mqtt_encode_pingresp(buf, sizeof(buf)), run->gfp))
		return MQTT_RC_QUOTA_EXCEEDED;
	kmqtt_send_mark(run, conn);
	return 0;
}

/* A packet of a connected client. @buf: it stands in a buffer of its own. */
static u8 kmqtt_receive_up(struct kmqtt_run *run, struct kmqtt_conn *conn,
			   const struct mqtt_fixed *fixed, const u8 *body,
			   void **buf, size_t buf_size)
{
	u32 len = fixed->remaining;

	if (fixed->type != MQTT_PUBLISH)
		kmqtt_burst_flush(run);
	switch (fixed->type) {
	case MQTT_PUBLISH:
		return kmqtt_publish_handle(run, conn, fixed->flags, body, len,
					    buf, buf_size);
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
		return kmqtt_publish_ack(run, conn, fixed->type, body, len);
	case MQTT_SUBSCRIBE:
		return kmqtt_subscribe_handle(run, conn, body, len);
	case MQTT_UNSUBSCRIBE:
		return kmqtt_unsubscribe_handle(run, conn, body, len);
	case MQTT_PINGREQ:
		return kmqtt_receive_ping(run, conn, len);
	case MQTT_DISCONNECT:
		return kmqtt_connect_disconnect(conn, body, len);
	case MQTT_AUTH:
		return kmqtt_auth_handle(conn, body, len);
	default:
		/* A second CONNECT [MQTT-3.1.0-2], or a server's packet. */
		return MQTT_RC_PROTOCOL_ERROR;
	}
}

void kmqtt_receive_note(struct kmqtt_conn *conn)
{
	WRITE_ONCE(conn->last_rx, jiffies);
	conn->packets_in++;
	kmqtt_stat_inc(conn->broker, KMQTT_STAT_PACKETS_RECEIVED);
}

void kmqtt_receive_note_bytes(struct kmqtt_conn *conn, u32 len)
{
	conn->bytes_in += len;
	kmqtt_stat_add(conn->broker, KMQTT_STAT_BYTES_RECEIVED, len);
}

u8 kmqtt_receive_packet(struct kmqtt_run *run, struct kmqtt_conn *conn,
			const struct mqtt_fixed *fixed, const u8 *packet,
			void **buf, size_t buf_size)
{
	const u8 *body = packet + fixed->len;

	kmqtt_receive_note(conn);
	switch (conn->state) {
	case KMQTT_CONN_UP:
		return kmqtt_receive_up(run, conn, fixed, body, buf, buf_size);
	case KMQTT_CONN_NEW:
		return kmqtt_connect_handle(conn, body, fixed->remaining);
	case KMQTT_CONN_CHALLENGED:
		if (fixed->type == MQTT_AUTH)
			return kmqtt_auth_handle(conn, body, fixed->remaining);
		if (fixed->type == MQTT_DISCONNECT)
			return kmqtt_connect_disconnect(conn, body,
							fixed->remaining);
		return MQTT_RC_PROTOCOL_ERROR;
	default:
		return MQTT_RC_PROTOCOL_ERROR;
	}
}

/* May the next packet be handled now? A CONNECT that waits stops us. */
static bool kmqtt_receive_may(const struct kmqtt_conn *conn)
{
	if (kmqtt_conn_closing(conn))
		return false;
	return conn->state == KMQTT_CONN_UP || conn->state == KMQTT_CONN_NEW ||
	       conn->state == KMQTT_CONN_CHALLENGED;
}

/* Keep the @len bytes of an incomplete packet; @need: its size if known. */
static u8 kmqtt_receive_stash(struct kmqtt_conn *conn, const u8 *data, u32 len,
			      u32 need)
{
	u32 size = max_t(u32, len, KMQTT_RX_FIRST);
	u8 reason;

	if (need && size > need)
		size = need;
	reason = kmqtt_receive_reserve(conn, size);
	if (reason)
		return reason;
	memcpy(conn->rx_buf, data, len);
	conn->rx_len = len;
	conn->rx_need = need;
	return 0;
}

void kmqtt_receive_aside(struct kmqtt_conn *conn, const u8 *data, u32 len)
{
	u8 reason = kmqtt_receive_stash(conn, data, len, 0);

	if (reason)
		kmqtt_receive_fail(conn, reason);
}

/*
 * Handle the packets at @data that are complete. @used: bytes done with.
 * Return: 0, or the reason for the end.
 */
static u8 kmqtt_receive_whole(struct kmqtt_run *run, struct kmqtt_conn *conn,
			      const u8 *data, u32 len, u32 *used)
{
	struct mqtt_fixed fixed;
	u8 reason;
	int ret;

	*used = 0;
	while (*used < len && kmqtt_receive_may(conn) &&
	       !kmqtt_run_spent(run)) {
		const u8 *packet = data + *used;
		u32 left = len - *used;

		ret = mqtt_decode_fixed(packet, left, &fixed);
		if (ret < 0)
			return MQTT_RC_MALFORMED_PACKET;
		if (!ret) {
			*used = len;
			return kmqtt_receive_stash(conn, packet, left, 0);
		}
		reason = kmqtt_receive_admit(conn, &fixed);
		if (reason)
			return reason;
		if (fixed.len + fixed.remaining > left) {
			*used = len;
			return kmqtt_receive_stash(conn, packet, left,
						   fixed.len + fixed.remaining);
		}
		run->behind = fixed.len + fixed.remaining < left;
		reason = kmqtt_receive_packet(run, conn, &fixed, packet, NULL,
					      0);
		if (reason)
			return reason;
		*used += fixed.len + fixed.remaining;
		/* Answers that would need more than is had in any case. */
		if (run->full || READ_ONCE(conn->ctl_len) >= KMQTT_CTL_SMALL / 2)
			kmqtt_gather_flush(run);
		cond_resched();
	}
	return 0;
}

/* The packet in rx_buf has all its bytes. */
static u8 kmqtt_receive_stashed(struct kmqtt_run *run, struct kmqtt_conn *conn,
				bool behind)
{
	void *buf = conn->rx_buf;
	u32 size = conn->rx_size;
	struct mqtt_fixed fixed;
	u8 reason;

	mqtt_decode_fixed(buf, conn->rx_len, &fixed);
	conn->rx_buf = NULL;
	conn->rx_len = 0;
	conn->rx_size = 0;
	conn->rx_need = 0;
	run->behind = behind;
	reason = kmqtt_receive_packet(run, conn, &fixed, buf, &buf, size);
	kmqtt_receive_free_buf(conn, buf, size);
	return reason;
}

/* Add bytes to the packet in rx_buf. @used: how many of @len it took. */
static u8 kmqtt_receive_append(struct kmqtt_conn *conn, const u8 *data, u32 len,
			       u32 *used)
{
	struct mqtt_fixed fixed;
	u32 want, size;
	u8 reason;
	int ret;

	want = conn->rx_need ? conn->rx_need - conn->rx_len : 1;
	*used = min(len, want);
	if (conn->rx_len + *used > conn->rx_size) {
		size = max(conn->rx_len + *used, 2 * conn->rx_size);
		if (conn->rx_need)
			size = min(size, conn->rx_need);
		reason = kmqtt_receive_reserve(conn, size);
		if (reason)
			return reason;
	}
	memcpy(conn->rx_buf + conn->rx_len, data, *used);
	conn->rx_len += *used;
	if (conn->rx_need)
		return 0;
	ret = mqtt_decode_fixed(conn->rx_buf, conn->rx_len, &fixed);
	if (ret < 0)
		return MQTT_RC_MALFORMED_PACKET;
	if (!ret)
		return 0;
	conn->rx_need = fixed.len + fixed.remaining;
	return kmqtt_receive_admit(conn, &fixed);
}

/* Handle what may be handled now; @data and @len: what is left. */
static u8 kmqtt_receive_some(struct kmqtt_run *run, struct kmqtt_conn *conn,
			     const u8 **data, u32 *len)
{
	u8 reason = 0;
	u32 used;

	while (*len && !reason && kmqtt_receive_may(conn) &&
	       (conn->rx_len || !kmqtt_run_spent(run))) {
		if (!conn->rx_len) {
			reason = kmqtt_receive_whole(run, conn, *data, *len,
						     &used);
		} else {
			reason = kmqtt_receive_append(conn, *data, *len, &used);
			if (!reason && conn->rx_need == conn->rx_len)
				reason = kmqtt_receive_stashed(run, conn,
							       used < *len);
			if (run->full)
				kmqtt_gather_flush(run);
		}
		*data += used;
		*len -= used;
	}
	return reason;
}

static u8 kmqtt_receive_all(struct kmqtt_run *run, struct kmqtt_conn *conn,
			    const u8 *data, u32 len)
{
	u8 reason;

	do {
		reason = kmqtt_receive_some(run, conn, &data, &len);
		if (reason || !len || kmqtt_conn_closing(conn))
			return reason;
		/*
		 * Behind a CONNECT that waits for its answer, or for the next
		 * run; what no memory is there for, now: it is not much.
		 */
		reason = kmqtt_receive_stash(conn, data, len, 0);
		if (!reason)
			run->aside = true;
		else if (kmqtt_receive_may(conn))
			kmqtt_run_prolong(run);
		else
			return reason;
	} while (reason);
	return 0;
}

/*
 * Less than a bufferful was all there is, and what comes later queues us
 * again: no second look. But a read also ends behind urgent data, and behind a
 * descriptor that came with it (and was closed: nobody asks for it); and the
 * end of the stream may have come before.
 */
static bool kmqtt_receive_drained(struct kmqtt_conn *conn, int len)
{
	struct sock *sk = conn->sock->sk;

	return len < KMQTT_RX_CHUNK / 2 &&
	       skb_queue_empty_lockless(&sk->sk_receive_queue) &&
	       !READ_ONCE(sk->sk_err) &&
	       !(READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN);
}

/* What is wrong with one of them does not concern those before. */
static u8 kmqtt_receive_bytes(struct kmqtt_run *run, struct kmqtt_conn *conn,
			      const u8 *data, u32 len)
{
	u8 reason = kmqtt_receive_all(run, conn, data, len);

	kmqtt_burst_end(run, !kmqtt_receive_drained(conn, len));
	return reason;
}

/*
 * Packets that came right behind a CONNECT were put aside until its answer;
 * they are whole or not, any number of them.
 */
static u8 kmqtt_receive_put_aside(struct kmqtt_run *run,
				  struct kmqtt_conn *conn)
{
	u32 len = conn->rx_len, size = conn->rx_size;
	u8 *data = conn->rx_buf;
	u8 reason;

	conn->rx_buf = NULL;
	conn->rx_len = 0;
	conn->rx_size = 0;
	reason = kmqtt_receive_bytes(run, conn, data, len);
	kmqtt_receive_free_buf(conn, data, size);
	return reason;
}

/* Not read while the client leaves our answers lying; send.c wakes us. */
static bool kmqtt_receive_paused(struct kmqtt_conn *conn)
{
	u32 limit = KMQTT_RX_PAUSE_AT;

	if (!kmqtt_room(conn->broker, 0, KMQTT_HOLD))
		limit = KMQTT_RX_PAUSE_SHORT;
	if (READ_ONCE(conn->ctl_len) < limit)
		return false;
	/* After a reset nobody takes our answers, and nothing would wake us. */
	if (READ_ONCE(conn->sock->sk->sk_shutdown) & SEND_SHUTDOWN ||
	    kmqtt_transport_has_files(conn)) {
		kmqtt_conn_close_silently(conn, MQTT_RC_UNSPECIFIED);
		return true;
	}
	set_bit(KMQTT_CONN_RX_PAUSED, &conn->flags);
	smp_mb__after_atomic(); /* pairs with the xchg of ctl in send.c */
	if (READ_ONCE(conn->ctl_len) >= limit)
		return true;
	clear_bit(KMQTT_CONN_RX_PAUSED, &conn->flags);
	return false;
}

/* Return: > 0: bytes were handled, 0: nothing there now, < 0: it is over. */
static int kmqtt_receive_once(struct kmqtt_run *run, struct kmqtt_conn *conn,
			      u8 *buf)
{
	u8 reason;
	int len;

	if (conn->rx_len && !conn->rx_need) {
		reason = kmqtt_receive_put_aside(run, conn);
		if (reason) {
			kmqtt_receive_fail(conn, reason);
			return -EPROTO;
		}
		/* It may have brought us to wait again. */
		if (!kmqtt_receive_may(conn) || run->aside)
			return 0;
	}
	len = kmqtt_transport_read(conn, buf, KMQTT_RX_CHUNK);
	if (len == -EAGAIN || len == -EINTR)
		return 0;
	if (len <= 0) {
		kmqtt_conn_close_silently(conn, MQTT_RC_UNSPECIFIED);
		return -EPIPE;
	}
	kmqtt_receive_note_bytes(conn, len);
	reason = kmqtt_receive_bytes(run, conn, buf, len);
	if (reason) {
		kmqtt_receive_fail(conn, reason);
		return -EPROTO;
	}
	return len;
}

bool kmqtt_receive(struct kmqtt_conn *conn)
{
	unsigned long began = jiffies;
	u32 packets = conn->packets_in;
	struct kmqtt_run run;
	int budget, ret = 1;
	u8 *buf;

	buf = kmqtt_rx_borrow();
	if (!buf) {
		kmqtt_receive_fail(conn, MQTT_RC_QUOTA_EXCEEDED);
		return false;
	}
	kmqtt_run_init(&run, conn->broker);
	for (budget = KMQTT_RX_BUDGET; budget > 0 && ret > 0; budget--) {
		if (!kmqtt_receive_may(conn) || kmqtt_receive_paused(conn)) {
			ret = 0;
			break;
		}
		ret = kmqtt_receive_once(&run, conn, buf);
		if (run.aside)
			break;
		if (ret > 0 && kmqtt_receive_drained(conn, ret))
			ret = 0;
	}
	kmqtt_gather_end(&run);
	kmqtt_express_learn(conn, conn->packets_in - packets,
			    run.wide ? jiffies - began : 0);
	kmqtt_out_unstock(&run);
	kmqtt_rx_return(buf);
	/* A CONNECT that waits is called again by what it waits for. */
	return (ret > 0 || run.aside) && kmqtt_receive_may(conn);
}

bool kmqtt_receive_discard(struct kmqtt_conn *conn)
{
	int budget, len = 0;
	u8 *buf;

	kmqtt_receive_free(conn);
	if (kmqtt_transport_quiet(conn))
		return false;
	buf = kmqtt_rx_borrow();
	if (!buf)
		return true;
	for (budget = KMQTT_RX_BUDGET; budget > 0; budget--) {
		len = kmqtt_transport_read(conn, buf, KMQTT_RX_CHUNK);
		if (len <= 0)
			break;
	}
	kmqtt_rx_return(buf);
	if (len > 0)
		kmqtt_conn_queue_io(conn);
	return len <= 0 && len != -EAGAIN && len != -EINTR;
}

void kmqtt_receive_uninit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kvfree(per_cpu(kmqtt_rx_spare, cpu));
}
