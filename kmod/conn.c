// SPDX-License-Identifier: GPL-2.0
/*
 * One connection: its socket callbacks, its work, its two-phase end.
 *
 * Socket callbacks (softirq; of a Unix socket the peer's process) only queue
 * work, or have express.c handle what came. Each queued work holds a reference, so
 * what is queued can always run. The io work is the only one that changes the state
 * and ends the connection, and receives all that express.c does not; whoever does
 * has KMQTT_CONN_RX.
 */
#include "conn.h"

#include <linux/ipv6.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <linux/kmqtt.h>
#include "batch.h"
#include "broker.h"
#include "compat.h"
#include "control.h"
#include "datapath.h"
#include "express.h"
#include "gather.h"
#include "half_open.h"
#include "listener.h"
#include "session.h"
#include "transport.h"

/*
 * How long the peer's last bytes are drained after our FIN, so that a reset
 * does not overtake the CONNACK or DISCONNECT that says why (jiffies).
 */
#define KMQTT_LINGER	(2 * HZ)

/* How long the last that came on it is read, a part of what another may wait. */
#define KMQTT_YIELD_PART	10
/* In yield_until: another waits, and nothing was read since. */
#define KMQTT_YIELD_ASKED	1

/*
 * What a connection takes without a byte in any buffer. The socket is TCP's,
 * but it is our clients who make it be there, and it is most of the sum.
 */
#define KMQTT_CONN_BYTES	(sizeof(struct kmqtt_conn) + \
				 sizeof(struct tcp6_sock) + \
				 sizeof(struct socket_alloc))

/* kmalloc() would take 1024 bytes for little more than half as many. */
static struct kmem_cache *kmqtt_conn_cache;

static void kmqtt_conn_release(struct kmqtt_conn *conn)
{
	struct kmqtt_broker *broker = conn->broker;

	if (test_bit(KMQTT_CONN_ABORT, &conn->flags))
		sock_no_linger(conn->sock->sk);
	else
		kmqtt_compat_hold_net(conn->sock->sk);
	sock_release(conn->sock);
	kmqtt_receive_free(conn);
	kmqtt_connect_free(conn);
	kmqtt_publish_free_aliases(conn);
	kmqtt_send_free(conn);
	if (conn->session)
		kmqtt_session_put(conn->session);
	atomic_dec(&conn->listener->nr_conns);
	kmqtt_listener_put(conn->listener);
	kmem_cache_free(kmqtt_conn_cache, conn);
	kmqtt_uncharge(broker, KMQTT_CONN_BYTES);
	if (atomic_dec_and_test(&broker->nr_conns))
		wake_up(&broker->idle);
}

static void kmqtt_conn_release_work(struct work_struct *work)
{
	kmqtt_conn_release(container_of(work, struct kmqtt_conn, tx_work));
}

/* The last reference may go in a softirq; closing a socket sleeps. */
static void kmqtt_conn_free(struct kref *ref)
{
	struct kmqtt_conn *conn = container_of(ref, struct kmqtt_conn, ref);

	INIT_WORK(&conn->tx_work, kmqtt_conn_release_work);
	queue_work(kmqtt_ctl_wq, &conn->tx_work);
}

void kmqtt_conn_put(struct kmqtt_conn *conn)
{
	kref_put(&conn->ref, kmqtt_conn_free);
}

static void kmqtt_conn_free_here(struct kref *ref)
{
	kmqtt_conn_release(container_of(ref, struct kmqtt_conn, ref));
}

/* At the end of a work of its own: may sleep, and @conn may be gone. */
static void kmqtt_conn_put_here(struct kmqtt_conn *conn)
{
	kref_put(&conn->ref, kmqtt_conn_free_here);
}

void kmqtt_conn_queue_io(struct kmqtt_conn *conn)
{
	kref_get(&conn->ref);
	kmqtt_gather_expect(conn);
	if (!queue_work(kmqtt_wq, &conn->io_work))
		kmqtt_conn_put(conn);
}

void kmqtt_conn_queue_tx(struct kmqtt_conn *conn)
{
	kref_get(&conn->ref);
	if (!queue_work(kmqtt_wq, &conn->tx_work))
		kmqtt_conn_put(conn);
}

void kmqtt_conn_set_timer(struct kmqtt_conn *conn, unsigned long delay)
{
	kref_get(&conn->ref);
	if (mod_delayed_work(kmqtt_ctl_wq, &conn->timer, delay))
		kmqtt_conn_put(conn);
}

void kmqtt_conn_send_later(struct kmqtt_conn *conn)
{
	/*
	 * In any other state the timer means something else, and what has to
	 * be said is not worth it. Once: a client that is sent something all
	 * the time would push its keep alive away for ever.
	 */
	if (READ_ONCE(conn->state) == KMQTT_CONN_UP &&
	    !test_and_set_bit(KMQTT_CONN_RETRY, &conn->flags))
		kmqtt_conn_set_timer(conn, HZ / 10);
}

static void kmqtt_conn_stop_timer(struct kmqtt_conn *conn)
{
	/* To look is less than to try. */
	if (delayed_work_pending(&conn->timer) &&
	    cancel_delayed_work(&conn->timer))
		kmqtt_conn_put(conn);
}

/* Socket callbacks. */

static struct kmqtt_conn *kmqtt_conn_of(struct sock *sk)
{
	return rcu_dereference_sk_user_data(sk);
}

/* Return: the connection if @take has taken it, else the io work is queued. */
static __always_inline struct kmqtt_conn *
kmqtt_conn_call(struct sock *sk, bool (*take)(struct kmqtt_conn *conn))
{
	struct kmqtt_conn *conn;

	read_lock_bh(&sk->sk_callback_lock);
	rcu_read_lock();
	conn = kmqtt_conn_of(sk);
	if (conn && !(take && take(conn))) {
		if (!take || !kmqtt_gather_input(conn))
			kmqtt_conn_queue_io(conn);
		conn = NULL;
	}
	rcu_read_unlock();
	read_unlock_bh(&sk->sk_callback_lock);
	return conn;
}

static void kmqtt_conn_data_ready(struct sock *sk)
{
	kmqtt_conn_call(sk, kmqtt_express_take);
}

/*
 * Without a lock, in the process that has sent: what we do there may sleep, with
 * a reference, behind which nothing does (kmqtt_transport_uninit()).
 */
static void kmqtt_conn_data_ready_unix(struct sock *sk)
{
	struct kmqtt_conn *conn = kmqtt_conn_call(sk, kmqtt_express_take_unix);

	if (conn)
		kmqtt_express_client(conn);
}

static void kmqtt_conn_state_change(struct sock *sk)
{
	kmqtt_conn_call(sk, NULL);
}

static void kmqtt_conn_write_space(struct sock *sk)
{
	struct kmqtt_conn *conn;

	read_lock_bh(&sk->sk_callback_lock);
	rcu_read_lock();
	conn = kmqtt_conn_of(sk);
	if (conn && kmqtt_transport_writeable(conn) &&
	    test_and_clear_bit(KMQTT_CONN_TX_BLOCKED, &conn->flags)) {
		clear_bit(SOCK_NOSPACE, &conn->sock->flags);
		kmqtt_conn_queue_tx(conn);
	}
	rcu_read_unlock();
	read_unlock_bh(&sk->sk_callback_lock);
}

static void kmqtt_conn_attach(struct kmqtt_conn *conn)
{
	struct sock *sk = conn->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = kmqtt_transport_is_unix(conn) ?
			    kmqtt_conn_data_ready_unix : kmqtt_conn_data_ready;
	sk->sk_write_space = kmqtt_conn_write_space;
	sk->sk_state_change = kmqtt_conn_state_change;
	rcu_assign_sk_user_data(sk, conn);
	write_unlock_bh(&sk->sk_callback_lock);
}

static void kmqtt_conn_detach(struct kmqtt_conn *conn)
{
	struct sock *sk = conn->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = conn->saved_data_ready;
	sk->sk_write_space = conn->saved_write_space;
	sk->sk_state_change = conn->saved_state_change;
	rcu_assign_sk_user_data(sk, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
}

/* The end. */

/* The first reason counts. Return: it is this one. */
static bool kmqtt_conn_set_closing(struct kmqtt_conn *conn, u8 reason)
{
	return !cmpxchg(&conn->closing, 0, KMQTT_CLOSING | reason);
}

void kmqtt_conn_close(struct kmqtt_conn *conn, u8 reason)
{
	kmqtt_conn_set_closing(conn, reason);
	kmqtt_conn_queue_io(conn);
}

void kmqtt_conn_yield(struct kmqtt_conn *conn)
{
	lockdep_assert_held(&conn->broker->lock);
	if (READ_ONCE(conn->yield_until))
		return;
	WRITE_ONCE(conn->yield_until, KMQTT_YIELD_ASKED);
	kmqtt_conn_queue_io(conn);
}

/*
 * The time begins when @conn's io work comes to it: the client is not to lose what it
 * has sent because that was late. Return: its end (jiffies), or 0: nobody waits.
 */
static unsigned long kmqtt_conn_yields_until(struct kmqtt_conn *conn)
{
	unsigned long until = READ_ONCE(conn->yield_until), wait;

	if (until != KMQTT_YIELD_ASKED)
		return until;
	wait = HZ * kmqtt_cfg(conn->broker, KMQTT_SET_CONNECT_TIMEOUT);
	/* Neither of the values that are no time. */
	until = (jiffies + wait / KMQTT_YIELD_PART) | (KMQTT_YIELD_ASKED + 1);
	WRITE_ONCE(conn->yield_until, until);
	return until;
}

void kmqtt_conn_leave(struct kmqtt_conn *conn, u8 reason)
{
	set_bit(KMQTT_CONN_SILENT, &conn->flags);
	kmqtt_conn_set_closing(conn, reason);
}

void kmqtt_conn_close_silently(struct kmqtt_conn *conn, u8 reason)
{
	kmqtt_conn_leave(conn, reason);
	kmqtt_conn_queue_io(conn);
}

static u8 kmqtt_conn_reason(const struct kmqtt_conn *conn)
{
	return READ_ONCE(conn->closing) & 0xff;
}

/* What only CONNACK may say, as DISCONNECT can say it. */
static u8 kmqtt_conn_goodbye_reason(u8 reason)
{
	if (mqtt_is_disconnect_reason(reason))
		return reason;
	return reason == MQTT_RC_SERVER_UNAVAILABLE ? MQTT_RC_SERVER_BUSY :
						      MQTT_RC_NOT_AUTHORIZED;
}

static void kmqtt_conn_say_goodbye(struct kmqtt_conn *conn)
{
	u8 buf[8], reason;
	int len;

	if (conn->version != MQTT_V5 || conn->state != KMQTT_CONN_UP ||
	    test_bit(KMQTT_CONN_SILENT, &conn->flags))
		return;
	reason = kmqtt_conn_goodbye_reason(kmqtt_conn_reason(conn));
	len = mqtt_encode_disconnect(buf, sizeof(buf), reason, NULL,
				     conn->client_max_packet);
	if (len <= 0)
		return;
	/*
	 * The session is still ours, and others queue messages for it: none of
	 * them may follow the DISCONNECT [MQTT-3.14.4-1]. Pairs, by ctl_lock,
	 * with kmqtt_tx_next().
	 */
	clear_bit(KMQTT_CONN_TX_OPEN, &conn->flags);
	kmqtt_send_control(conn, buf, len, GFP_KERNEL);
}

/* First phase: out of every table; from here on nobody finds the connection. */
static void kmqtt_conn_unlink(struct kmqtt_conn *conn)
{
	struct kmqtt_broker *broker = conn->broker;

	kmqtt_conn_stop_timer(conn);
	kmqtt_authority_cancel(conn);
	kmqtt_conn_say_goodbye(conn);
	if (conn->session) {
		/* When all service ends, wills are not published either. */
		kmqtt_session_detach(conn, !READ_ONCE(broker->stopping) &&
				     !test_bit(KMQTT_CONN_NORMAL,
					       &conn->flags));
		kmqtt_event_conn(conn, KMQTT_EVENT_DISCONNECTED,
				 kmqtt_conn_reason(conn), &conn->session->client_id);
	} else {
		kmqtt_session_forget_waiter(conn);
	}
	/* Its names are for nobody now, however long it lingers. */
	kmqtt_connect_free(conn);
	kmqtt_half_open_leave(conn);
	spin_lock(&broker->conn_lock);
	list_del_init(&conn->list);
	spin_unlock(&broker->conn_lock);
}

/* Second phase: the socket. */
static void kmqtt_conn_finish(struct kmqtt_conn *conn)
{
	WRITE_ONCE(conn->state, KMQTT_CONN_CLOSED);
	kmqtt_conn_stop_timer(conn);
	kmqtt_conn_detach(conn);
	/* Whoever still sends, from another's work, now fails at once. */
	set_bit(KMQTT_CONN_TX_DEAD, &conn->flags);
	kernel_sock_shutdown(conn->sock, SHUT_RDWR);
	kmqtt_conn_put(conn);
}

/*
 * Nothing to linger for: the client has said DISCONNECT, nothing is left to be
 * sent, and TCP holds nothing that it has not acknowledged, which a reset could
 * take from it.
 */
static bool kmqtt_conn_settled(struct kmqtt_conn *conn)
{
	bool settled;

	/*
	 * Nobody sends while we look: one who does may have taken what is left,
	 * and put it back. A kick that comes meanwhile is lost: if anything is
	 * left, the one of kmqtt_conn_linger() is next.
	 */
	if (!test_bit(KMQTT_CONN_NORMAL, &conn->flags) ||
	    atomic_cmpxchg(&conn->tx_kicks, 0, 1))
		return false;
	settled = !READ_ONCE(conn->ctl_len) && !conn->rest &&
		  !READ_ONCE(conn->sock->sk->sk_wmem_queued);
	atomic_set_release(&conn->tx_kicks, 0);
	return settled;
}

/* Our side is closed once all is sent; the peer's then has some time. */
static void kmqtt_conn_linger(struct kmqtt_conn *conn)
{
	smp_mb__before_atomic(); /* pairs with kmqtt_tx_idle() */
	set_bit(KMQTT_CONN_TX_FIN, &conn->flags);
	kmqtt_conn_set_timer(conn, KMQTT_LINGER);
	kmqtt_send_kick(conn);
}

static void kmqtt_conn_end(struct kmqtt_conn *conn)
{
	if (conn->state == KMQTT_CONN_CLOSED)
		return;
	if (conn->state != KMQTT_CONN_LINGER) {
		kmqtt_conn_unlink(conn);
		WRITE_ONCE(conn->state, KMQTT_CONN_LINGER);
		if (kmqtt_conn_settled(conn))
			set_bit(KMQTT_CONN_LINGERED, &conn->flags);
		else
			kmqtt_conn_linger(conn);
	}
	/* What is not read would make the end of the socket a reset. */
	if (test_bit(KMQTT_CONN_ABORT, &conn->flags) ||
	    kmqtt_receive_discard(conn) ||
	    test_bit(KMQTT_CONN_LINGERED, &conn->flags))
		kmqtt_conn_finish(conn);
}

static bool kmqtt_conn_peer_gone(struct kmqtt_conn *conn)
{
	/* By FIN or RST; a Unix socket's state stays as it is. */
	return READ_ONCE(conn->sock->sk->sk_shutdown) & RCV_SHUTDOWN;
}

/*
 * What the client had sent before it came again is handled first: acknowledgments,
 * messages that nobody would send again, the DISCONNECT that takes its will away.
 * Only when nothing was read is it all: what handled the last of it may have taken
 * long. Return: not all of it is read yet, and there is time, @until (jiffies).
 */
static bool kmqtt_conn_read_last(struct kmqtt_conn *conn, unsigned long until)
{
	bool in_time = time_before(jiffies, until);
	u64 before = conn->bytes_in;
	bool more = kmqtt_receive(conn) || conn->bytes_in != before;

	/* It may be that our answers only have to be sent. */
	if (!more && test_bit(KMQTT_CONN_RX_PAUSED, &conn->flags)) {
		kmqtt_send_kick(conn);
		more = !test_bit(KMQTT_CONN_RX_PAUSED, &conn->flags);
	}
	if (more && in_time && !kmqtt_conn_closing(conn))
		return true;
	/* Or it has ended by itself. */
	if (kmqtt_conn_set_closing(conn, MQTT_RC_SESSION_TAKEN_OVER)) {
		kmqtt_stat_inc(conn->broker, KMQTT_STAT_TAKE_OVERS);
		kmqtt_event_session(conn->session, KMQTT_EVENT_TAKEN_OVER, NULL,
				    0);
	}
	return false;
}

/* Return: what is there was not read to its end. */
static bool kmqtt_conn_read(struct kmqtt_conn *conn)
{
	unsigned long until = kmqtt_conn_yields_until(conn);

	return until ? kmqtt_conn_read_last(conn, until) : kmqtt_receive(conn);
}

static void kmqtt_conn_io(struct work_struct *work)
{
	struct kmqtt_conn *conn = container_of(work, struct kmqtt_conn,
					       io_work);

	kmqtt_gather_arrived(conn);
	if (!kmqtt_express_claim(conn)) {
		kmqtt_conn_put_here(conn);
		return;
	}
	if (kmqtt_conn_closing(conn)) {
		kmqtt_conn_end(conn);
	} else if (conn->state == KMQTT_CONN_AUTH ||
		   conn->state == KMQTT_CONN_TAKEOVER) {
		if (kmqtt_conn_peer_gone(conn))
			kmqtt_conn_close_silently(conn, MQTT_RC_UNSPECIFIED);
		else
			kmqtt_connect_continue(conn);
		/* What it has sent behind its CONNECT was not looked at. */
		if (conn->state == KMQTT_CONN_UP)
			kmqtt_conn_queue_io(conn);
	} else {
		if (READ_ONCE(conn->answer))
			kmqtt_connect_continue(conn);
		if (kmqtt_conn_read(conn))
			kmqtt_conn_queue_io(conn);
		if (kmqtt_conn_closing(conn))
			kmqtt_conn_end(conn);
	}
	kmqtt_express_release(conn);
	kmqtt_conn_put_here(conn);
}

static void kmqtt_conn_tx(struct work_struct *work)
{
	struct kmqtt_conn *conn = container_of(work, struct kmqtt_conn,
					       tx_work);

	kmqtt_send_kick(conn);
	kmqtt_conn_put_here(conn);
}

/*
 * Keep alive: one and a half times the interval without a control packet
 * [MQTT-3.1.2-22]. Return: jiffies until the next look, 0: it has passed.
 */
static unsigned long kmqtt_conn_silence_left(struct kmqtt_conn *conn)
{
	unsigned long max = conn->keep_alive * HZ + conn->keep_alive * HZ / 2;
	unsigned long silent = jiffies - READ_ONCE(conn->last_rx);

	return silent < max ? max - silent : 0;
}

static void kmqtt_conn_tend(struct kmqtt_conn *conn)
{
	unsigned long next = MAX_JIFFY_OFFSET;
	long retry;

	if (conn->keep_alive) {
		next = kmqtt_conn_silence_left(conn);
		if (!next) {
			kmqtt_stat_inc(conn->broker,
				       KMQTT_STAT_KEEP_ALIVE_TIMEOUTS);
			kmqtt_conn_close(conn, MQTT_RC_KEEP_ALIVE_TIMEOUT);
			return;
		}
	}
	retry = kmqtt_inflight_retry(conn);
	if (retry < 0) {
		kmqtt_stat_inc(conn->broker, KMQTT_STAT_DROPPED_RETRIES);
		kmqtt_conn_close(conn, MQTT_RC_UNSPECIFIED);
		return;
	}
	if (retry)
		next = min_t(unsigned long, next, retry);
	if (next != MAX_JIFFY_OFFSET)
		kmqtt_conn_set_timer(conn, next);
	/* The end has begun meanwhile: do not push its lingering time away. */
	if (kmqtt_conn_closing(conn))
		kmqtt_conn_set_timer(conn, KMQTT_LINGER);
	/*
	 * Also the second try of what failed for want of memory. If it fails
	 * again the timer is set again: not before it was set above.
	 */
	clear_bit(KMQTT_CONN_RETRY, &conn->flags);
	kmqtt_send_kick(conn);
}

void kmqtt_conn_let_in(struct kmqtt_conn *conn)
{
	/*
	 * Stopped before the settings are looked at: whoever changes them from
	 * now on starts it again.
	 */
	kmqtt_conn_stop_timer(conn);
	kmqtt_conn_tend(conn);
}

static void kmqtt_conn_timer(struct work_struct *work)
{
	struct kmqtt_conn *conn = container_of(to_delayed_work(work),
					       struct kmqtt_conn, timer);

	switch (READ_ONCE(conn->state)) {
	case KMQTT_CONN_UP:
		kmqtt_conn_tend(conn);
		break;
	case KMQTT_CONN_LINGER:
		set_bit(KMQTT_CONN_LINGERED, &conn->flags);
		kmqtt_conn_queue_io(conn);
		break;
	case KMQTT_CONN_CLOSED:
		break;
	default:
		kmqtt_stat_inc(conn->broker, KMQTT_STAT_CONNECT_TIMEOUTS);
		kmqtt_conn_close_silently(conn, MQTT_RC_UNSPECIFIED);
	}
	kmqtt_conn_put(conn);
}

static struct kmqtt_conn *kmqtt_conn_alloc(struct kmqtt_listener *listener,
					   struct socket *sock)
{
	struct kmqtt_broker *broker = listener->broker;
	struct kmqtt_conn *conn;

	if (!kmqtt_charge_share(broker, KMQTT_CONN_BYTES, KMQTT_CONNECT))
		return NULL;
	conn = kmem_cache_zalloc(kmqtt_conn_cache, GFP_KERNEL);
	if (!conn) {
		kmqtt_uncharge(broker, KMQTT_CONN_BYTES);
		return NULL;
	}
	kref_init(&conn->ref);
	conn->broker = broker;
	conn->listener = listener;
	conn->sock = sock;
	/* What the child inherited is the listener's callback. */
	conn->saved_data_ready = listener->saved_data_ready;
	conn->saved_write_space = sock->sk->sk_write_space;
	conn->saved_state_change = sock->sk->sk_state_change;
	conn->connected_at = jiffies;
	conn->last_rx = jiffies;
	conn->expected_at = -1;
	conn->max_packet = kmqtt_cfg(broker, KMQTT_SET_CONNECT_SIZE_MAX);
	spin_lock_init(&conn->ctl_lock);
	kmqtt_batch_start_control(conn);
	INIT_LIST_HEAD(&conn->list);
	INIT_LIST_HEAD(&conn->half_open);
	INIT_LIST_HEAD(&conn->dirty);
	INIT_WORK(&conn->io_work, kmqtt_conn_io);
	INIT_WORK(&conn->tx_work, kmqtt_conn_tx);
	INIT_DELAYED_WORK(&conn->timer, kmqtt_conn_timer);
	return conn;
}

int kmqtt_conn_create(struct kmqtt_listener *listener, struct socket *sock)
{
	struct kmqtt_broker *broker = listener->broker;
	struct kmqtt_conn *conn;

	conn = kmqtt_conn_alloc(listener, sock);
	if (!conn)
		return -ENOMEM;
	kmqtt_transport_accepted(listener, sock, &conn->peer);
	/* Once attached, the io work may end it while we are still here. */
	kmqtt_conn_get(conn);
	kmqtt_listener_get(listener);
	atomic_inc(&listener->nr_conns);
	atomic_inc(&broker->nr_conns);
	/*
	 * Whoever ends it goes through the list first: then the callbacks are
	 * there, and stay away once they are taken back.
	 */
	spin_lock(&broker->conn_lock);
	list_add_tail(&conn->list, &broker->conns);
	kmqtt_half_open_enter(conn);
	kmqtt_conn_attach(conn);
	/* Whoever ends it meanwhile stops the timer behind the list. */
	kmqtt_conn_set_timer(conn, HZ * kmqtt_cfg(broker,
						  KMQTT_SET_CONNECT_TIMEOUT));
	spin_unlock(&broker->conn_lock);
	/* A client that takes its time need not be looked at before. */
	if (!kmqtt_transport_quiet(conn))
		kmqtt_conn_queue_io(conn);
	kmqtt_conn_put(conn);
	return 0;
}

void kmqtt_conn_wake_timers(struct kmqtt_broker *broker)
{
	struct kmqtt_conn *conn;

	spin_lock(&broker->conn_lock);
	list_for_each_entry(conn, &broker->conns, list)
		if (READ_ONCE(conn->state) == KMQTT_CONN_UP)
			kmqtt_conn_set_timer(conn, 0);
	spin_unlock(&broker->conn_lock);
}

void kmqtt_conn_close_all(struct kmqtt_broker *broker,
			  struct kmqtt_listener *listener, u8 reason,
			  bool abort)
{
	struct kmqtt_conn *conn;

	spin_lock(&broker->conn_lock);
	list_for_each_entry(conn, &broker->conns, list) {
		if (listener && conn->listener != listener)
			continue;
		if (abort)
			set_bit(KMQTT_CONN_ABORT, &conn->flags);
		kmqtt_conn_close(conn, reason);
	}
	spin_unlock(&broker->conn_lock);
}

int kmqtt_conn_init(void)
{
	kmqtt_conn_cache = KMEM_CACHE(kmqtt_conn, 0);
	return kmqtt_conn_cache ? 0 : -ENOMEM;
}

void kmqtt_conn_uninit(void)
{
	kmem_cache_destroy(kmqtt_conn_cache);
}
