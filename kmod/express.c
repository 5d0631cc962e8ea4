// SPDX-License-Identifier: GPL-2.0
/*
 * A packet that comes alone is handled where it arrives: in a softirq, behind
 * TCP's, with no worker to wake and to wait for. What it has for subscribers leaves
 * at once as long as there is nothing to be gained by waiting for others; if they
 * have not read what came before, or other clients' packets come too, it is left to
 * gather.c.
 *
 * It is for what is short and cannot sleep: one whole packet of a client that
 * is let in, acknowledgments or a small PUBLISH to a few subscribers. All else
 * stays in the socket, for the io work. What is found out about it is found out
 * before it is taken from there.
 *
 * Of a Unix socket that is where it was sent: in the client's process, which so
 * is the only one that runs until the subscriber's does.
 *
 * Who reads a connection holds KMQTT_CONN_RX: all others leave it to the io work,
 * which comes again if it finds it taken.
 */
#include "express.h"

#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/llist.h>
#include <linux/percpu.h>
#include <net/tcp.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "conn.h"
#include "control.h"
#include "gather.h"
#include "message.h"
#include "out.h"
#include "released.h"
#include "session.h"
#include "transport.h"

static_assert(KMQTT_FEW <= KMQTT_RUN_SPARE, "a stock for each of them");

/*
 * Bytes of a packet that is small. A TCP that has got nothing larger yet
 * acknowledges 536 bytes at the latest, read or not: two of these may wait to be
 * read, as kmqtt_transport_idle() has it, and a third is found to be too many.
 */
#define KMQTT_EXPRESS_SMALL	256
/* Bytes of any: no more than a frame of Ethernet brings, nor what takes long to copy. */
#define KMQTT_EXPRESS_BYTES	1536
/*
 * Connections in one run of the tasklet, which bounds its time; as many as packets
 * in one poll of a network device. What comes from more is left to the io works.
 */
#define KMQTT_EXPRESS_BUDGET	64
/*
 * Single packets after which the next ones are handled here, if express_after is not
 * less: they wait for others until so many were alone, which costs little if they are
 * not single any more.
 */
#define KMQTT_EXPRESS_SINGLE	4
/* So many that are not small are sent on without a look for others. */
#define KMQTT_EXPRESS_LOOK	16
/* The longest answer to one: it has to have its place in the connection. */
#define KMQTT_EXPRESS_ANSWER	8

/**
 * struct kmqtt_letter - one packet
 * @conn: whose
 * @run: what is handled; has the memory that it takes
 * @buf: where it is
 * @len: its bytes; 0: it is left to the io work
 * @others: others' have come with it, or wait
 * @crowd: or may come, as far as one knows
 * @later: for the state of things, which will be another for the next one
 * @fixed: its header
 * @publish: decoded, if it is one
 * @few: who gets it
 */
struct kmqtt_letter {
	struct kmqtt_conn *conn;
	struct kmqtt_run run;
	u8 *buf;
	u32 len;
	bool others;
	bool crowd;
	bool later;
	struct mqtt_fixed fixed;
	struct mqtt_publish publish;
	struct kmqtt_few few;
};

/**
 * struct kmqtt_express - of a CPU; bottom halves disabled
 * @conns: have a packet
 * @tasklet: handles them
 * @letter: the packet, here lest a stack has to be cleared for it
 * @buf: its bytes
 */
struct kmqtt_express {
	struct llist_head conns;
	struct tasklet_struct tasklet;
	struct kmqtt_letter letter;
	u8 buf[KMQTT_EXPRESS_BYTES];
};

static DEFINE_PER_CPU(struct kmqtt_express, kmqtt_express);

/*
 * The io work must have found single packets of it some times in a row: where it
 * finds more, its gathering is worth more. @most: of them.
 */
static bool kmqtt_express_trusts(const struct kmqtt_conn *conn, u8 times,
				 u64 most)
{
	u64 after = kmqtt_cfg(conn->broker, KMQTT_SET_EXPRESS_AFTER);

	return after && times >= min(after, most);
}

static bool kmqtt_express_single(const struct kmqtt_conn *conn)
{
	const struct sock *sk = conn->sock->sk;

	return kmqtt_express_trusts(conn, READ_ONCE(conn->single),
				    KMQTT_EXPRESS_SINGLE) &&
	       READ_ONCE(conn->state) == KMQTT_CONN_UP &&
	       skb_queue_len_lockless(&sk->sk_receive_queue) == 1 &&
	       !work_pending(&conn->io_work);
}

/* Has what has come a length that fits? It stays there meanwhile. */
static bool kmqtt_express_short(const struct sock *sk, u32 most)
{
	const struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);

	return skb && skb->len <= most;
}

/* What kTLS, or a map of sockets, has its hands in is not. */
static bool kmqtt_express_plain_tcp(const struct sock *sk)
{
	return READ_ONCE(sk->sk_prot)->recvmsg == tcp_prot.recvmsg;
}

bool kmqtt_express_take(struct kmqtt_conn *conn)
{
	struct kmqtt_express *express = this_cpu_ptr(&kmqtt_express);

	/* TCP has locked the socket. */
	if (!kmqtt_express_single(conn) ||
	    !kmqtt_express_plain_tcp(conn->sock->sk) ||
	    !kmqtt_express_short(conn->sock->sk, KMQTT_EXPRESS_BYTES))
		return false;
	/* If it is on a list, it has not been looked at since. */
	if (test_and_set_bit(KMQTT_CONN_EXPRESS, &conn->flags))
		return true;
	kmqtt_conn_get(conn);
	if (llist_add(&conn->express, &express->conns))
		tasklet_schedule(&express->tasklet);
	return true;
}

bool kmqtt_express_claim(struct kmqtt_conn *conn)
{
	if (!test_and_set_bit_lock(KMQTT_CONN_RX, &conn->flags))
		return true;
	/*
	 * A worker does not wait for a client's process, which may be kept from
	 * the processor.
	 */
	set_bit(KMQTT_CONN_IO_WANTED, &conn->flags);
	smp_mb__after_atomic();	/* pairs with kmqtt_express_leave() */
	if (test_and_set_bit_lock(KMQTT_CONN_RX, &conn->flags))
		return false;
	clear_bit(KMQTT_CONN_IO_WANTED, &conn->flags);
	return true;
}

/* Nobody waits for the io work. */
void kmqtt_express_release(struct kmqtt_conn *conn)
{
	clear_bit_unlock(KMQTT_CONN_RX, &conn->flags);
}

/* The others': the io work may have come meanwhile. */
static void kmqtt_express_leave(struct kmqtt_conn *conn, bool handled)
{
	clear_bit_unlock(KMQTT_CONN_RX, &conn->flags);
	smp_mb__after_atomic();	/* pairs with kmqtt_express_claim() */
	if (test_and_clear_bit(KMQTT_CONN_IO_WANTED, &conn->flags) || !handled)
		kmqtt_conn_queue_io(conn);
}

static void kmqtt_express_count(u8 *count, bool again)
{
	if (!again)
		WRITE_ONCE(*count, 0);
	else if (*count < U8_MAX)
		WRITE_ONCE(*count, *count + 1);
}

void kmqtt_express_learn(struct kmqtt_conn *conn, u32 packets,
			 unsigned long took)
{
	if (!packets)
		return;
	WRITE_ONCE(conn->burst_wait, packets > 1 ? kmqtt_gather_wait(took) :
		   kmqtt_gather_forget(conn->burst_wait));
	kmqtt_express_count(&conn->single, packets == 1);
	kmqtt_express_count(&conn->alone,
			    packets == 1 && !kmqtt_gather_expects());
}

bool kmqtt_express_idle(struct kmqtt_session *session)
{
	bool idle;

	/*
	 * A publisher's socket is locked, if it is TCP's: it does not wait for
	 * what takes long.
	 */
	if (!spin_trylock(&session->lock))
		return false;
	idle = !session->conn || kmqtt_transport_idle(session->conn);
	spin_unlock(&session->lock);
	return idle;
}

/*
 * What one that is acknowledged takes is had before it is taken from the socket:
 * here there are no reserves to draw on, and the io work may wait for memory.
 */
static bool kmqtt_express_stock(struct kmqtt_letter *letter)
{
	struct kmqtt_run *run = &letter->run;
	struct mqtt_publish *publish = &letter->publish;

	if (publish->qos == 2 && !kmqtt_rel_has_place(letter->conn->session))
		return false;
	if (publish->qos && letter->few.nr &&
	    !kmqtt_out_stock(run, letter->few.nr))
		return false;
	run->msg = kmqtt_msg_create(run->broker, publish, &publish->topic, NULL,
				    0, run->gfp);
	return run->msg;
}

static bool kmqtt_express_route(struct kmqtt_letter *letter)
{
	int ret = kmqtt_route_find(letter->conn, &letter->publish, &letter->few);

	letter->later = ret == -EBUSY;
	return !ret;
}

static bool kmqtt_express_publish(struct kmqtt_letter *letter)
{
	struct kmqtt_broker *broker = letter->conn->broker;
	struct mqtt_publish *publish = &letter->publish;

	/* Rules may be a million. */
	return !kmqtt_acl_in_force(broker) &&
	       !mqtt_decode_publish(letter->buf + letter->fixed.len,
				    letter->fixed.remaining,
				    letter->fixed.flags, letter->conn->version,
				    kmqtt_memo_topic(&letter->conn->memo), publish) &&
	       !publish->retain && publish->topic.len &&
	       !mqtt_props_has(&publish->props, MQTT_PROP_TOPIC_ALIAS) &&
	       kmqtt_express_route(letter) &&
	       kmqtt_express_stock(letter);
}

/*
 * Of what is not small, and follows another soon, one in some is left to gather.c,
 * whoever sends alone: TCP does not say that it comes in bursts, but others would be
 * found behind it.
 */
static bool kmqtt_express_looks(struct kmqtt_conn *conn)
{
	return !time_after(jiffies, conn->last_rx) &&
	       !(++conn->blind % KMQTT_EXPRESS_LOOK);
}

/* Nothing in it that sleeps, or takes long? */
static bool kmqtt_express_fits(struct kmqtt_letter *letter, u32 len)
{
	if (mqtt_decode_fixed(letter->buf, len, &letter->fixed) <= 0 ||
	    letter->fixed.len + letter->fixed.remaining != len ||
	    kmqtt_receive_admit(letter->conn, &letter->fixed))
		return false;
	switch (letter->fixed.type) {
	case MQTT_PUBLISH:
		if (len > KMQTT_EXPRESS_SMALL &&
		    kmqtt_express_looks(letter->conn))
			letter->few.gather = true;
		return kmqtt_express_publish(letter);
	case MQTT_PUBACK:
	case MQTT_PUBREC:
	case MQTT_PUBREL:
	case MQTT_PUBCOMP:
	case MQTT_PINGREQ:
		/*
		 * To wait for who may come would make it meet what its own client
		 * sends on another connection.
		 */
		letter->crowd = letter->others;
		letter->few.gather = letter->others;
		return true;
	default:
		return false;
	}
}

/* It is not for us. Nor will the next one be, it may be: not again so soon. */
static void kmqtt_express_misfit(struct kmqtt_letter *letter)
{
	if (letter->later)
		return;
	WRITE_ONCE(letter->conn->single, 0);
	WRITE_ONCE(letter->conn->alone, 0);
}

/* All of the buffer, or nothing. */
static int kmqtt_express_read(read_descriptor_t *desc, struct sk_buff *skb,
			      unsigned int offset, size_t len)
{
	struct kmqtt_letter *letter = desc->arg.data;

	desc->count = 0;
	if (len > KMQTT_EXPRESS_BYTES ||
	    skb_copy_bits(skb, offset, letter->buf, len) ||
	    !kmqtt_express_fits(letter, len)) {
		kmqtt_express_misfit(letter);
		return 0;
	}
	letter->len = len;
	return len;
}

static void kmqtt_express_open(struct kmqtt_letter *letter)
{
	struct sock *sk = letter->conn->sock->sk;
	read_descriptor_t desc = { .arg.data = letter, .count = 1 };

	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk) && sk->sk_state == TCP_ESTABLISHED &&
	    kmqtt_express_plain_tcp(sk) &&
	    skb_queue_len(&sk->sk_receive_queue) == 1 &&
	    !tcp_sk(sk)->urg_data && !sk->sk_err)
		tcp_read_sock(sk, &desc, kmqtt_express_read);
	bh_unlock_sock(sk);
}

/* Send what is due to the publisher himself. */
static void kmqtt_express_answer(struct kmqtt_letter *letter)
{
	struct kmqtt_run *run = &letter->run;
	struct kmqtt_conn *conn;
	LIST_HEAD(others);

	list_splice_init(&run->dirty, &others);
	list_for_each_entry(conn, &others, dirty) {
		if (conn == letter->conn) {
			list_move(&conn->dirty, &run->dirty);
			kmqtt_send_flush_bh(run, letter->few.in_client);
			break;
		}
	}
	list_splice(&others, &run->dirty);
}

static void kmqtt_express_handle(struct kmqtt_letter *letter)
{
	struct kmqtt_conn *conn = letter->conn;
	struct kmqtt_run *run = &letter->run;
	u8 reason;

	kmqtt_receive_note_bytes(conn, letter->len);
	kmqtt_stat_inc(conn->broker, KMQTT_STAT_PACKETS_EXPRESS);
	if (letter->fixed.type == MQTT_PUBLISH) {
		kmqtt_receive_note(conn);
		reason = kmqtt_publish_decoded(run, conn, &letter->publish,
					       NULL, 0);
	} else {
		reason = kmqtt_receive_packet(run, conn, &letter->fixed,
					      letter->buf, NULL, 0);
	}
	if (reason)
		kmqtt_receive_fail(conn, reason);
	/* A queue of one or two is full before others can come. */
	if (!letter->few.gather || run->full) {
		kmqtt_send_flush_bh(run, letter->few.in_client);
		return;
	}
	/* Who does not read keeps others waiting, but not his publisher. */
	if (!letter->crowd)
		kmqtt_express_answer(letter);
	if (letter->few.nr || !list_empty(&run->dirty))
		kmqtt_stat_inc(conn->broker, KMQTT_STAT_PACKETS_GATHERED);
	kmqtt_express_count(&conn->alone, kmqtt_gather_leave_bh(conn, run));
}

/*
 * @others: have come with it. Return: false: somebody reads it, and it is left to
 * the io work.
 */
static bool kmqtt_express_begin(struct kmqtt_letter *letter,
				struct kmqtt_conn *conn, u8 *buf, bool others,
				bool in_client)
{
	if (test_and_set_bit_lock(KMQTT_CONN_RX, &conn->flags)) {
		kmqtt_conn_queue_io(conn);
		return false;
	}
	letter->conn = conn;
	letter->buf = buf;
	letter->len = 0;
	letter->later = false;
	kmqtt_run_init(&letter->run, conn->broker);
	letter->run.gfp = GFP_NOWAIT | __GFP_NOWARN;
	letter->run.few = &letter->few;
	letter->few.in_client = in_client;
	letter->others = others || kmqtt_gather_waits();
	letter->crowd = letter->others ||
			!kmqtt_express_trusts(conn, conn->alone, U8_MAX);
	letter->few.gather = letter->crowd;
	letter->few.nr = 0;
	return true;
}

/* Only who has KMQTT_CONN_RX makes the answers more. */
static bool kmqtt_express_ready(struct kmqtt_conn *conn)
{
	return conn->state == KMQTT_CONN_UP && !kmqtt_conn_closing(conn) &&
	       !conn->rx_len &&
	       READ_ONCE(conn->ctl_len) <= KMQTT_CTL_FEW - KMQTT_EXPRESS_ANSWER;
}

static void kmqtt_express_end(struct kmqtt_letter *letter)
{
	/* What was had in advance and not needed. */
	if (letter->run.msg)
		kmqtt_msg_put(letter->run.msg);
	kmqtt_out_unstock(&letter->run);
	kmqtt_express_leave(letter->conn, letter->len);
}

static void kmqtt_express_conn(struct kmqtt_express *express,
			       struct kmqtt_conn *conn, bool others)
{
	struct kmqtt_letter *letter = &express->letter;
	int idx;

	if (!kmqtt_express_begin(letter, conn, express->buf, others, false))
		return;
	idx = srcu_read_lock(kmqtt_srcu);
	if (kmqtt_express_ready(conn))
		kmqtt_express_open(letter);
	if (letter->len)
		kmqtt_express_handle(letter);
	srcu_read_unlock(kmqtt_srcu, idx);
	kmqtt_express_end(letter);
}

static void kmqtt_express_run(struct tasklet_struct *tasklet)
{
	struct kmqtt_express *express =
		container_of(tasklet, struct kmqtt_express, tasklet);
	u32 budget = KMQTT_EXPRESS_BUDGET;
	struct kmqtt_conn *conn, *next;
	struct llist_node *list;
	bool several;

	list = llist_reverse_order(llist_del_all(&express->conns));
	if (!list)
		return;
	several = llist_next(list);
	llist_for_each_entry_safe(conn, next, list, express) {
		/* Behind it the node may be on the list of another CPU. */
		clear_bit_unlock(KMQTT_CONN_EXPRESS, &conn->flags);
		/* What came while it was set is seen by the look that follows. */
		smp_mb__after_atomic();
		if (budget) {
			kmqtt_express_conn(express, conn, several);
			budget--;
		} else {
			kmqtt_conn_queue_io(conn);
		}
		kmqtt_conn_put(conn);
	}
}

bool kmqtt_express_take_unix(struct kmqtt_conn *conn)
{
	struct sock *sk = conn->sock->sk;
	unsigned long flags;
	bool take;

	/* There it could be preempted with what others wait for in its hands. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || !kmqtt_express_single(conn))
		return false;
	/* Another thread may be reading it. */
	spin_lock_irqsave(&sk->sk_receive_queue.lock, flags);
	take = kmqtt_express_short(sk, KMQTT_EXPRESS_SMALL);
	spin_unlock_irqrestore(&sk->sk_receive_queue.lock, flags);
	if (take)
		kmqtt_conn_get(conn);
	return take;
}

/*
 * What came is read, for us or not, where one may sleep. Handled and sent on it is
 * with bottom halves disabled: a process that is kept from the processor then has
 * nothing in its hands that others wait for but its own connection.
 */
static void kmqtt_express_call(struct kmqtt_letter *letter)
{
	struct kmqtt_conn *conn = letter->conn;
	int idx, len;

	len = kmqtt_transport_read(conn, letter->buf, KMQTT_EXPRESS_SMALL);
	/* An end or an error is found by the io work again. */
	if (len <= 0)
		return;
	local_bh_disable();
	idx = srcu_read_lock(kmqtt_srcu);
	if (kmqtt_express_fits(letter, len)) {
		letter->len = len;
		kmqtt_express_handle(letter);
	}
	srcu_read_unlock(kmqtt_srcu, idx);
	local_bh_enable();
	if (!letter->len) {
		kmqtt_express_misfit(letter);
		kmqtt_receive_note_bytes(conn, len);
		kmqtt_receive_aside(conn, letter->buf, len);
	}
}

void kmqtt_express_client(struct kmqtt_conn *conn)
{
	u8 buf[KMQTT_EXPRESS_SMALL];
	struct kmqtt_letter letter;

	if (kmqtt_express_begin(&letter, conn, buf, false, true)) {
		if (kmqtt_express_ready(conn))
			kmqtt_express_call(&letter);
		kmqtt_express_end(&letter);
	}
	kmqtt_conn_put(conn);
}

void kmqtt_express_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		tasklet_setup(&per_cpu(kmqtt_express, cpu).tasklet,
			      kmqtt_express_run);
}

void kmqtt_express_uninit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		tasklet_kill(&per_cpu(kmqtt_express, cpu).tasklet);
}
