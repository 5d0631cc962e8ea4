/* SPDX-License-Identifier: GPL-2.0 */
/* One connection: its socket, its work, its two-phase end. */
#ifndef KMQTT_CONN_H
#define KMQTT_CONN_H

#include <linux/kref.h>
#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "addr.h"
#include "conn_state.h"
#include "core/packet.h"
#include "memo.h"

struct kmqtt_auth_answer;
struct kmqtt_broker;
struct kmqtt_connecting;
struct kmqtt_listener;
struct kmqtt_msg;
struct kmqtt_session;
struct kmqtt_batch;
struct sock;
struct socket;

/* Bytes of control packets that have their place in the connection. */
#define KMQTT_CTL_FEW	32

/* In conn->closing, beside the reason code, which may be 0. */
#define KMQTT_CLOSING	0x100

/**
 * struct kmqtt_conn - one connection
 * @ref: list, session, each queued work, each flush list
 * @sock: ours until the last reference goes
 * @broker: whose; @listener: it came through, referenced
 * @list: in broker->conns, under broker->conn_lock
 * @flags: enum kmqtt_conn_flags, atomic bits
 * @closing: KMQTT_CLOSING and the 5.0 reason code; set once, then nothing is
 *	received any more
 * @io_work: receives, and ends the connection; everything below marked (io)
 *	belongs to who holds KMQTT_CONN_RX: this work, or express.c
 * @express: on a CPU's list there (KMQTT_CONN_EXPRESS), or gather.c's, referenced
 * @tx_work: sends what could not be sent from somebody else's work; with the
 *	last reference gone it frees, in process context
 * @timer: connect time-out, keep alive, retries, lingering
 *
 * @expected_at: CPU that counts the queued @io_work in gather.c, or -1
 * @state: enum kmqtt_conn_state (io); READ_ONCE elsewhere
 * @version: enum mqtt_version, 0 before CONNECT (io); then fixed
 * @single: how often one packet of it came at a time, see express.c (io)
 * @blind: counts messages that are not small in express.c (io)
 * @burst_wait: ns that its input may wait in gather.c, or 0 (io); READ_ONCE elsewhere
 * @alone: and nothing of other connections with it, or behind it (io)
 * @gather_turn: of @gather_cpu in gather.c, when it last left something there (io)
 * @yield_until: jiffies, or 0: nobody waits for its session, broker->lock; then (io)
 * @half_open: in broker->half_open, under broker->conn_lock
 * @half_open_since: jiffies, under broker->conn_lock
 * @connecting: what CONNECT asked, until it is answered (io)
 * @answer: of the authority; xchg
 * @attach_nr: which CONNECT of the broker's it was; under broker->lock
 * @session: set once when UP (io), referenced until release
 * @problem_info: the client wants reason strings (io)
 * @auth_method: of CONNECT, NUL-terminated or NULL (io)
 * @peer: address and port; of a Unix socket the family only
 * @connected_at: jiffies; @keep_alive: seconds, 0: none
 * @last_rx: jiffies of the last control packet; WRITE_ONCE (io)
 *
 * @rx_buf: an incomplete packet (io)
 * @rx_len: bytes in it; @rx_size: bytes allocated
 * @rx_need: bytes of the packet, 0: its fixed header is not complete
 * @memo: who got the last message (io)
 * @alias_in: topics by alias-1 (io), NULL until the first
 * @alias_in_bytes: of all of them; @alias_in_max: as told in CONNACK
 * @max_packet: largest packet this client may send
 * @client_max_packet: largest packet it takes, 0: any
 * @receive_max: QoS 2 messages it may have unreleased
 *
 * @tx_kicks: > 0: somebody owns the sending side; see send.c
 * @ctl_lock: guards @ctl*; innermost; bottom halves disabled
 * @ctl: encoded control packets, sent before any PUBLISH
 * @ctl_len: bytes in it; @ctl_size: bytes there is room for
 * @ctl_few: is @ctl until more are queued: an acknowledgment or two
 * @rest: what a partial send left (tx owner)
 * @alias_out: topics by alias-1 we told the client (tx owner)
 * @alias_out_nr: how many; @alias_out_max: how many it takes
 *
 * @packets_in: and the rest: counters, read by dumps. @packets_out (tx owner)
 *	are deliveries, @control_out (ctl_lock) all other packets
 */
struct kmqtt_conn {
	struct kref ref;
	u32 closing;
	unsigned long flags;
	struct socket *sock;
	struct kmqtt_broker *broker;
	struct kmqtt_listener *listener;
	struct list_head list;
	struct list_head half_open;
	unsigned long half_open_since;
	struct list_head dirty;
	struct llist_node express;
	struct work_struct io_work;
	struct work_struct tx_work;
	struct delayed_work timer;

	int expected_at;
	u8 state;
	u8 version;
	u8 single;
	u8 alone;
	u8 blind;
	bool problem_info;
	u16 gather_turn;
	u16 gather_cpu;
	u16 keep_alive;
	u16 receive_max;
	u16 alias_in_max;
	u16 alias_out_nr;
	u16 alias_out_max;
	u32 max_packet;
	u32 client_max_packet;
	u32 burst_wait;
	struct kmqtt_connecting *connecting;
	struct kmqtt_auth_answer *answer;
	u64 attach_nr;
	struct kmqtt_session *session;
	char *auth_method;
	unsigned long connected_at;
	unsigned long last_rx;
	unsigned long yield_until;
	union kmqtt_addr peer;

	u8 *rx_buf;
	u32 rx_len;
	u32 rx_size;
	u32 rx_need;
	struct kmqtt_memo memo;
	struct mqtt_str *alias_in;
	u32 alias_in_bytes;

	atomic_t tx_kicks;
	spinlock_t ctl_lock;
	u8 *ctl;
	u32 ctl_len;
	u32 ctl_size;
	u8 ctl_few[KMQTT_CTL_FEW];
	struct kmqtt_batch *rest;
	struct mqtt_str *alias_out;

	u64 packets_in;
	u64 packets_out;
	u64 control_out;
	u64 bytes_in;
	u64 bytes_out;

	void (*saved_data_ready)(struct sock *sk);
	void (*saved_write_space)(struct sock *sk);
	void (*saved_state_change)(struct sock *sk);
};

/**
 * kmqtt_conn_create() - take over an accepted socket
 * @listener: it came through
 * @sock: ours on success
 *
 * Return: 0, or an error with @sock untouched.
 */
int kmqtt_conn_create(struct kmqtt_listener *listener, struct socket *sock);

/**
 * kmqtt_conn_close() - end a connection, from any context
 * @conn: the caller holds a reference
 * @reason: 5.0 reason code for the DISCONNECT; the first caller's counts
 *
 * Returns at once; the io work does the rest.
 */
void kmqtt_conn_close(struct kmqtt_conn *conn, u8 reason);
/* The same without a DISCONNECT: the network failed, or CONNACK said it. */
void kmqtt_conn_close_silently(struct kmqtt_conn *conn, u8 reason);
/* Another waits: the same behind what has come until now. broker->lock held. */
void kmqtt_conn_yield(struct kmqtt_conn *conn);
/* The same by the io work itself, which then does the rest. */
void kmqtt_conn_leave(struct kmqtt_conn *conn, u8 reason);

static inline bool kmqtt_conn_closing(const struct kmqtt_conn *conn)
{
	return READ_ONCE(conn->closing);
}

void kmqtt_conn_queue_io(struct kmqtt_conn *conn);
void kmqtt_conn_queue_tx(struct kmqtt_conn *conn);

/* (Re)start the timer of @conn: @delay jiffies from now, whatever was set. */
void kmqtt_conn_set_timer(struct kmqtt_conn *conn, unsigned long delay);
/* In state UP now: its timer is that of keep alive and retries; send (io). */
void kmqtt_conn_let_in(struct kmqtt_conn *conn);
/* Memory is short: have the timer of a connected client try to send again. */
void kmqtt_conn_send_later(struct kmqtt_conn *conn);
/* Have the timers of all connections look at the settings again. */
void kmqtt_conn_wake_timers(struct kmqtt_broker *broker);

/* Close every connection of @listener, or of the broker if NULL. */
void kmqtt_conn_close_all(struct kmqtt_broker *broker,
			  struct kmqtt_listener *listener, u8 reason,
			  bool abort);

static inline struct kmqtt_conn *kmqtt_conn_get(struct kmqtt_conn *conn)
{
	kref_get(&conn->ref);
	return conn;
}

/* Any context. */
void kmqtt_conn_put(struct kmqtt_conn *conn);

int kmqtt_conn_init(void);
/* No connection is left. */
void kmqtt_conn_uninit(void);

#endif
