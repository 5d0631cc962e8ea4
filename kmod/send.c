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
 *
 * A fan-out goes through kmqtt_send_flush() in chunks with bottom halves
 * disabled: loopback's receive processing and the wake-ups of the subscribers
 * then run once per chunk, and no subscriber preempts the fan-out. In there
 * nothing may sleep; what would is left to kmqtt_send_kick() right after the
 * chunk.
 */
#include <linux/net.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "batch.h"
#include "broker.h"
#include "conn.h"
#include "datapath.h"
#include "express.h"
#include "session.h"
#include "spread.h"
#include "strip.h"
#include "transport.h"

/*
 * Batches in one go before other connections get their turn, and before those
 * who kick meanwhile do the sending themselves.
 */
#define KMQTT_TX_BUDGET		16
/*
 * Bytes that those of a chunk get for whom one batch is not all; one more batch takes
 * its time, and counts for some, however short it is. So it stays below
 * netdev_max_backlog.
 */
#define KMQTT_TX_CHUNK_MORE	262144
#define KMQTT_TX_CHUNK_LEAST	(KMQTT_TX_CHUNK_MORE / 8)
/* Deliveries that wait for a client, beyond which a softirq sends it none. */
#define KMQTT_TX_SOFTIRQ	8
/* Control packets: first allocation. */
#define KMQTT_CTL_FIRST		64

/** enum kmqtt_tx_result - what a round came to */
enum kmqtt_tx_result {
	KMQTT_TX_DONE,		/* nothing is due, or the socket is full */
	KMQTT_TX_MORE,		/* there may be more to send */
	KMQTT_TX_SLEEP,		/* it goes on only where one may sleep */
};

/*
 * Control packets: a few bytes in the connection, or kvmalloc()ed ones that grow
 * under ctl_lock.
 */

/* More than a client needs that reads is what it may not make us hold. */
static u8 *kmqtt_ctl_alloc(struct kmqtt_broker *broker, u32 size, gfp_t gfp)
{
	u8 *buf;

	if (size <= KMQTT_CTL_SMALL)
		kmqtt_charge_always(broker, size);
	else if (!kmqtt_charge_share(broker, size, KMQTT_HOLD))
		return NULL;
	buf = kvmalloc(size, gfp | __GFP_NOWARN);
	if (!buf)
		kmqtt_uncharge(broker, size);
	return buf;
}

static void kmqtt_ctl_free(struct kmqtt_broker *broker, u8 *buf, u32 size)
{
	if (!buf)
		return;
	kmqtt_kvfree(buf);
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
	memcpy(*buf, conn->ctl, conn->ctl_len);
	swap(*buf, conn->ctl);
	swap(*size, conn->ctl_size);
	if (*buf == conn->ctl_few)
		*buf = NULL;
}

int kmqtt_send_control(struct kmqtt_conn *conn, const u8 *buf, u32 len,
		       gfp_t gfp)
{
	u8 *bigger = NULL;
	u32 size = 0, want;

	for (;;) {
		spin_lock_bh(&conn->ctl_lock);
		if (size >= conn->ctl_len + len &&
		    conn->ctl_size < conn->ctl_len + len)
			kmqtt_ctl_replace(conn, &bigger, &size);
		if (kmqtt_ctl_append(conn, buf, len))
			break;
		want = max3((u32)KMQTT_CTL_FIRST, 2 * conn->ctl_len,
			    conn->ctl_len + len);
		spin_unlock_bh(&conn->ctl_lock);
		kmqtt_ctl_free(conn->broker, bigger, size);
		size = want;
		bigger = kmqtt_ctl_alloc(conn->broker, size, gfp);
		if (!bigger)
			return -ENOMEM;
	}
	conn->control_out++;
	spin_unlock_bh(&conn->ctl_lock);
	kmqtt_stat_inc(conn->broker, KMQTT_STAT_PACKETS_SENT);
	kmqtt_ctl_free(conn->broker, bigger, size);
	return 0;
}

/* Is there room for it, as long as there is for connections? */
static bool kmqtt_tx_may_keep(struct kmqtt_conn *conn,
			      struct kmqtt_batch *batch)
{
	if (!batch->kept)
		batch->kept = kmqtt_charge_share(conn->broker,
						 kmqtt_batch_bytes(conn),
						 KMQTT_CONNECT);
	if (!batch->kept)
		kmqtt_stat_inc(conn->broker, KMQTT_STAT_DROPPED_MEMORY);
	return batch->kept;
}

/* The batch waits with the connection. */
static void kmqtt_tx_keep(struct kmqtt_conn *conn, struct kmqtt_batch *batch)
{
	if (!batch->kept)
		kmqtt_charge_always(conn->broker, kmqtt_batch_bytes(conn));
	batch->kept = true;
	/* Kicks find the rest and look no further. */
	batch->more = true;
	conn->rest = batch;
}

/*
 * The socket is full. Return: KMQTT_TX_MORE if it has room again already.
 */
static enum kmqtt_tx_result kmqtt_tx_block(struct kmqtt_conn *conn,
					   const struct kmqtt_batch *batch)
{
	struct sock *sk = conn->sock->sk;

	set_bit(KMQTT_CONN_TX_BLOCKED, &conn->flags);
	set_bit(SOCK_NOSPACE, &conn->sock->flags);
	smp_mb__after_atomic();	/* pairs with kmqtt_conn_write_space() */
	if (!kmqtt_transport_writeable(conn) ||
	    !test_and_clear_bit(KMQTT_CONN_TX_BLOCKED, &conn->flags))
		return KMQTT_TX_DONE;
	/*
	 * Room, but TCP has no memory. If nothing is in flight nothing will
	 * call us; if something is, to be called at once is no help.
	 */
	if ((!kmqtt_transport_is_unix(conn) && !sk->sk_wmem_queued) ||
	    batch->barren > 1) {
		kmqtt_conn_send_later(conn);
		return KMQTT_TX_DONE;
	}
	return KMQTT_TX_MORE;
}

static void kmqtt_tx_fail(struct kmqtt_conn *conn, struct kmqtt_batch *batch)
{
	set_bit(KMQTT_CONN_TX_DEAD, &conn->flags);
	kmqtt_batch_release(conn, batch);
	kmqtt_batch_return(batch);
	kmqtt_conn_close_silently(conn, MQTT_RC_UNSPECIFIED);
}

/* Nothing is left: the last control packet may have been the end. */
static enum kmqtt_tx_result kmqtt_tx_idle(struct kmqtt_conn *conn, gfp_t gfp)
{
	if (!test_bit(KMQTT_CONN_TX_FIN, &conn->flags))
		return KMQTT_TX_DONE;
	if (!gfpflags_allow_blocking(gfp))
		return KMQTT_TX_SLEEP;
	/*
	 * The DISCONNECT was queued before the bit was set, but maybe after
	 * this batch was taken.
	 */
	smp_rmb();	/* pairs with kmqtt_conn_end() */
	if (READ_ONCE(conn->ctl_len))
		return KMQTT_TX_MORE;
	set_bit(KMQTT_CONN_TX_DEAD, &conn->flags);
	kernel_sock_shutdown(conn->sock, SHUT_WR);
	return KMQTT_TX_DONE;
}

static struct kmqtt_batch *kmqtt_tx_next(struct kmqtt_conn *conn, gfp_t gfp)
{
	struct kmqtt_batch *batch = conn->rest;
	bool open;

	if (batch) {
		conn->rest = NULL;
		return batch;
	}
	batch = kmqtt_batch_borrow(gfp);
	if (!batch)
		return NULL;
	kmqtt_batch_reset(batch);
	/*
	 * Looked at before the control packets are taken: if it is set, CONNACK
	 * is among them or sent, so no delivery overtakes it [MQTT-3.2.0-1].
	 */
	open = test_bit(KMQTT_CONN_TX_OPEN, &conn->flags);
	smp_rmb();	/* pairs with kmqtt_connect_up() */
	kmqtt_batch_take_control(conn, batch);
	/* And again behind them: the last one may be a DISCONNECT of ours. */
	if (open && test_bit(KMQTT_CONN_TX_OPEN, &conn->flags))
		kmqtt_batch_take_items(conn, batch);
	return batch;
}

/*
 * Encode and push until all of @batch is sent. @run: the next connections may get the
 * same, or NULL. Return: 0 or an error.
 */
static int kmqtt_tx_drain(struct kmqtt_conn *conn, struct kmqtt_batch *batch,
			  struct kmqtt_run *run, gfp_t gfp)
{
	int ret;

	ret = run ? kmqtt_strip_encode(run, conn, batch, gfp) :
		    kmqtt_batch_encode(conn, batch, gfp);
	while (!ret && batch->bytes) {
		ret = kmqtt_push(conn, batch, gfp);
		if (ret)
			break;
		kmqtt_batch_next(conn, batch);
		if (batch->encoded == batch->nr_items)
			break;
		ret = kmqtt_batch_encode(conn, batch, gfp);
	}
	return ret;
}

/*
 * All sent. Whatever is queued from now on comes with a kick of its own, so
 * only a full batch, and what was queued without one, is worth another look.
 */
static enum kmqtt_tx_result kmqtt_tx_sent(struct kmqtt_conn *conn,
					  struct kmqtt_batch *batch)
{
	bool more = batch->more || READ_ONCE(conn->ctl_len) ||
		    test_bit(KMQTT_CONN_TX_FIN, &conn->flags);

	kmqtt_batch_release(conn, batch);
	kmqtt_batch_return(batch);
	return more ? KMQTT_TX_MORE : KMQTT_TX_DONE;
}

/* One batch, or what is left of it. */
static enum kmqtt_tx_result kmqtt_tx_round(struct kmqtt_conn *conn,
					   struct kmqtt_run *run, gfp_t gfp)
{
	struct kmqtt_batch *batch;
	bool more;
	int ret;

	if (test_bit(KMQTT_CONN_TX_DEAD, &conn->flags) ||
	    test_bit(KMQTT_CONN_TX_BLOCKED, &conn->flags))
		return KMQTT_TX_DONE;
	batch = kmqtt_tx_next(conn, gfp);
	if (!batch && !gfpflags_allow_blocking(gfp))
		return KMQTT_TX_SLEEP;
	if (!batch) {
		/* Everything stays queued. */
		kmqtt_conn_send_later(conn);
		return KMQTT_TX_DONE;
	}
	if (!batch->bytes && !batch->nr_items) {
		more = batch->more;
		kmqtt_batch_return(batch);
		return more ? KMQTT_TX_MORE : kmqtt_tx_idle(conn, gfp);
	}
	ret = kmqtt_tx_drain(conn, batch, run, gfp);
	if (!ret)
		return kmqtt_tx_sent(conn, batch);
	/* Who does not read has it as long as he likes. */
	if (ret == -EAGAIN && !kmqtt_tx_may_keep(conn, batch))
		ret = -ENOSPC;
	if (ret == -EAGAIN) {
		kmqtt_tx_keep(conn, batch);
		return kmqtt_tx_block(conn, batch);
	}
	if (ret == -EBUSY || ret == -ENOMEM || ret == -ENOBUFS) {
		kmqtt_tx_keep(conn, batch);
		if (!gfpflags_allow_blocking(gfp))
			return KMQTT_TX_SLEEP;
		/* It is we who have no memory: the client waits. */
		kmqtt_conn_send_later(conn);
		return KMQTT_TX_DONE;
	}
	kmqtt_tx_fail(conn, batch);
	return KMQTT_TX_DONE;
}

void kmqtt_send_kick(struct kmqtt_conn *conn)
{
	int budget = KMQTT_TX_BUDGET, seen;

	if (atomic_inc_return(&conn->tx_kicks) != 1)
		return;
	while (budget--) {
		/* Whatever was queued before these kicks is seen below. */
		seen = atomic_read_acquire(&conn->tx_kicks);
		if (kmqtt_tx_round(conn, NULL, GFP_KERNEL) == KMQTT_TX_DONE &&
		    !atomic_sub_return(seen, &conn->tx_kicks))
			return;
		cond_resched();
	}
	/* Kicks that came meanwhile are served by the work. */
	atomic_set_release(&conn->tx_kicks, 0);
	kmqtt_conn_queue_tx(conn);
}

/*
 * The same for a chunk of a fan-out, bottom halves disabled: one round, and others
 * until they have sent about @more bytes.
 * Return: true if kmqtt_send_kick() is needed afterwards.
 */
static bool kmqtt_send_try(struct kmqtt_conn *conn, struct kmqtt_run *run,
			   u32 *more)
{
	enum kmqtt_tx_result result;
	u64 before, sent;

	if (atomic_inc_return(&conn->tx_kicks) != 1)
		return false;
	result = kmqtt_tx_round(conn, run, GFP_ATOMIC | __GFP_NOWARN);
	while (result == KMQTT_TX_MORE && *more) {
		before = conn->bytes_out;
		result = kmqtt_tx_round(conn, run, GFP_ATOMIC | __GFP_NOWARN);
		sent = conn->bytes_out - before;
		if (!sent)
			break;
		sent = max_t(u64, sent, KMQTT_TX_CHUNK_LEAST);
		*more -= min_t(u64, sent, *more);
	}
	if (result == KMQTT_TX_DONE &&
	    atomic_cmpxchg(&conn->tx_kicks, 1, 0) == 1)
		return false;
	atomic_set_release(&conn->tx_kicks, 0);
	return true;
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
}

static struct kmqtt_conn *kmqtt_send_unmark(struct kmqtt_run *run)
{
	struct kmqtt_conn *conn;

	conn = list_first_entry_or_null(&run->dirty, struct kmqtt_conn, dirty);
	if (!conn)
		return NULL;
	list_del_init(&conn->dirty);
	clear_bit_unlock(KMQTT_CONN_DIRTY, &conn->flags);
	smp_mb__after_atomic();	/* pairs with the bit in mark */
	return conn;
}

/* Bottom halves disabled. Return: how many are left to be kicked, in @again. */
static u32 kmqtt_send_chunk(struct kmqtt_run *run, struct kmqtt_conn **again)
{
	u32 i, nr = 0, more = KMQTT_TX_CHUNK_MORE;
	struct kmqtt_conn *conn;

	for (i = 0; i < KMQTT_TX_CHUNK; i++) {
		conn = kmqtt_send_unmark(run);
		if (!conn)
			break;
		/* A Unix socket has no segments or softirqs to save. */
		if (kmqtt_transport_is_unix(conn) ||
		    kmqtt_send_try(conn, run, &more))
			again[nr++] = conn;
		else
			kmqtt_conn_put(conn);
	}
	return nr;
}

void kmqtt_send_chunks(struct kmqtt_run *run)
{
	struct kmqtt_conn *again[KMQTT_TX_CHUNK];
	u32 nr, i;

	while (!list_empty(&run->dirty)) {
		local_bh_disable();
		nr = kmqtt_send_chunk(run, again);
		local_bh_enable();
		for (i = 0; i < nr; i++) {
			kmqtt_send_kick(again[i]);
			kmqtt_conn_put(again[i]);
		}
		kmqtt_strip_age(run);
		cond_resched();
	}
}

void kmqtt_send_taken(bool (*take)(void *from, struct kmqtt_run *run),
		      void *from)
{
	struct kmqtt_conn *again[KMQTT_TX_CHUNK];
	struct kmqtt_run run;
	bool taken;
	u32 nr;

	kmqtt_run_init(&run, NULL);
	do {
		local_bh_disable();
		taken = take(from, &run);
		nr = kmqtt_send_chunk(&run, again);
		/* Who is preempted has nothing of any connection, either. */
		while (nr--) {
			kmqtt_conn_queue_tx(again[nr]);
			kmqtt_conn_put(again[nr]);
		}
		kmqtt_strip_drop(&run);
		local_bh_enable();
		cond_resched();
	} while (taken);
}

void kmqtt_send_flush(struct kmqtt_run *run)
{
	if (!kmqtt_spread_flush(run))
		kmqtt_send_chunks(run);
	kmqtt_strip_drop(run);
	/*
	 * Before there is more for it, its connection must have been sent to: by
	 * a helper, if he has it from this list or one before. (If another run has
	 * marked it, that one sends as soon as it has routed.)
	 */
	if (run->full)
		kmqtt_spread_wait(run);
	run->full = false;
	run->spread = NULL;
}

/* Set by the io work that lets it in, maybe just now. */
static bool kmqtt_send_much(const struct kmqtt_conn *conn)
{
	const struct kmqtt_session *session = READ_ONCE(conn->session);

	return session && READ_ONCE(session->nr_queued) > KMQTT_TX_SOFTIRQ;
}

void kmqtt_send_flush_bh(struct kmqtt_run *run, bool in_client)
{
	struct kmqtt_conn *conn;
	u32 more = 0;

	while ((conn = kmqtt_send_unmark(run))) {
		if (!kmqtt_transport_nowait(conn, in_client) ||
		    kmqtt_send_much(conn) || kmqtt_send_try(conn, NULL, &more))
			kmqtt_conn_queue_tx(conn);
		kmqtt_conn_put(conn);
	}
}

void kmqtt_send_free(struct kmqtt_conn *conn)
{
	if (conn->rest) {
		/* Nobody is left whom reading could be given back to. */
		clear_bit(KMQTT_CONN_RX_PAUSED, &conn->flags);
		kmqtt_batch_release(conn, conn->rest);
		kfree(conn->rest);
	}
	if (conn->ctl != conn->ctl_few)
		kmqtt_ctl_free(conn->broker, conn->ctl, conn->ctl_size);
	kmqtt_batch_free_aliases(conn);
}

void kmqtt_send_uninit(void)
{
	kmqtt_push_uninit();
	kmqtt_batch_uninit();
}
