// SPDX-License-Identifier: GPL-2.0
/*
 * The least that anything in the kernel can do between TCP sockets: relay.c, but
 * where the packets arrive. A PUBLISH is read in the softirq behind TCP's and sent
 * from there to all who subscribed to that very topic, which is looked up once for
 * each publisher; TCP gets references to the pages it came in, so that nothing is
 * copied. No sessions, no matching, no queues, no memory of its own for a message;
 * who does not read is closed. What is left is TCP and the clients: a bound to
 * measure kmqtt against, for QoS 0 and one message at a time.
 *
 * A single tasklet does it all, so that nothing but the lists is shared with the
 * works that accept and close.
 */
#include <linux/in.h>
#include <linux/interrupt.h>
#include <linux/llist.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "compat.h"

#define FLOOR_BACKLOG	4096
#define FLOOR_NAME	64
/* Bytes that are looked at. */
#define FLOOR_HEAD	256
/* CONNACK and SUBACK */
#define FLOOR_ANSWER	6
/* Packets in and out before the network's softirq has its turn; it queues 1,000. */
#define FLOOR_CHUNK	128

enum {
	FLOOR_CONNECT = 1,
	FLOOR_PUBLISH = 3,
	FLOOR_SUBSCRIBE = 8,
	FLOOR_DISCONNECT = 14,
};

static unsigned short port = 1883;
module_param(port, ushort, 0444);
MODULE_PARM_DESC(port, "where it listens, on 127.0.0.1");

/** struct floor_topic - one that somebody has named; stays until the end */
struct floor_topic {
	struct list_head list;
	struct list_head subscribers;
	size_t len;
	u8 name[FLOOR_NAME];
};

/**
 * struct floor_conn - a client
 * @list: of all
 * @subscriber: in its topic's list; a client has one at most
 * @waits: in floor_arrived
 * @waiting: it is in there
 * @ending: @end is queued
 * @sock: its socket
 * @publishes: topic of its last message
 * @version: of the protocol
 * @end: closes it
 */
struct floor_conn {
	struct list_head list;
	struct list_head subscriber;
	struct llist_node waits;
	atomic_t waiting;
	atomic_t ending;
	struct socket *sock;
	struct floor_topic *publishes;
	u8 version;
	struct work_struct end;
};

/**
 * struct floor_message - the one that is being sent on
 * @topic: NULL: there is none
 * @next: subscriber, or the list's head
 * @bytes: in @pieces
 * @nr: of @pieces
 * @pieces: where it is, a reference to each page
 */
struct floor_message {
	struct floor_topic *topic;
	struct list_head *next;
	size_t bytes;
	u32 nr;
	struct bio_vec pieces[MAX_SKB_FRAGS];
};

static struct workqueue_struct *floor_wq;
static struct socket *floor_listener;
static struct work_struct floor_accept_work;
static void (*floor_saved_ready)(struct sock *sk);
static LLIST_HEAD(floor_arrived);
static struct tasklet_struct floor_tasklet;
/* The tasklet's own. */
static struct floor_message floor_message;
static struct floor_conn *floor_reading;
static struct page_frag floor_frag;
/* Both lists, and those below them; the tasklet's time is under it. */
static DEFINE_SPINLOCK(floor_lock);
static LIST_HEAD(floor_conns);
static LIST_HEAD(floor_topics);

/* sk_callback_lock or floor_lock keeps @conn. */
static void floor_close(struct floor_conn *conn)
{
	if (!atomic_xchg(&conn->ending, 1))
		queue_work(floor_wq, &conn->end);
}

/* Sending. The socket is locked, by its spinlock. */

static void floor_send(struct floor_conn *conn, struct bio_vec *pieces, u32 nr,
		       size_t bytes)
{
	struct sock *sk = conn->sock->sk;
	bool task_frag = kmqtt_compat_set_task_frag(sk, false);
	gfp_t allocation = sk->sk_allocation;

	sk->sk_allocation = GFP_ATOMIC;
	if (kmqtt_compat_send_pages(sk, pieces, nr, bytes,
				    MSG_DONTWAIT | MSG_NOSIGNAL) != bytes)
		floor_close(conn);
	sk->sk_allocation = allocation;
	kmqtt_compat_set_task_frag(sk, task_frag);
}

static void floor_answer(struct floor_conn *conn, const void *data, size_t len)
{
	struct bio_vec piece;

	if (!skb_page_frag_refill(len, &floor_frag, GFP_ATOMIC)) {
		floor_close(conn);
		return;
	}
	piece = (struct bio_vec){
		.bv_page = floor_frag.page,
		.bv_offset = floor_frag.offset,
		.bv_len = len,
	};
	memcpy(page_address(piece.bv_page) + piece.bv_offset, data, len);
	floor_frag.offset += len;
	floor_send(conn, &piece, 1, len);
}

static void floor_forget(struct floor_message *msg)
{
	u32 i;

	for (i = 0; i < msg->nr; i++)
		put_page(msg->pieces[i].bv_page);
	msg->nr = 0;
	msg->bytes = 0;
	msg->topic = NULL;
}

/* Return: all have it. */
static bool floor_fan_out(struct floor_message *msg, u32 *left)
{
	struct floor_conn *conn;

	while (msg->next != &msg->topic->subscribers) {
		if (!*left)
			return false;
		--*left;
		conn = list_entry(msg->next, struct floor_conn, subscriber);
		msg->next = msg->next->next;
		bh_lock_sock(conn->sock->sk);
		floor_send(conn, msg->pieces, msg->nr, msg->bytes);
		bh_unlock_sock(conn->sock->sk);
	}
	floor_forget(msg);
	return true;
}

/* Reading. */

static struct floor_topic *floor_topic_of(struct floor_topic *last,
					  const u8 *name, size_t len)
{
	struct floor_topic *topic;

	if (last && last->len == len && !memcmp(last->name, name, len))
		return last;
	list_for_each_entry(topic, &floor_topics, list)
		if (topic->len == len && !memcmp(topic->name, name, len))
			return topic;
	topic = len > FLOOR_NAME ? NULL : kzalloc(sizeof(*topic), GFP_ATOMIC);
	if (!topic)
		return NULL;
	topic->len = len;
	memcpy(topic->name, name, len);
	INIT_LIST_HEAD(&topic->subscribers);
	list_add_tail(&topic->list, &floor_topics);
	return topic;
}

/* The first filter only, and it is taken for a topic. */
static void floor_subscribe(struct floor_conn *conn, const u8 *body, u32 len)
{
	u8 ack[FLOOR_ANSWER] = { 0x90, 3, body[0], body[1] };
	const u8 *at = body + 2;
	struct floor_topic *topic;
	u32 name;

	if (conn->version == 5) {
		ack[1]++;
		at++;
	}
	name = at[0] << 8 | at[1];
	if (at + 2 + name > body + len)
		return;
	topic = floor_topic_of(NULL, at + 2, name);
	if (topic && list_empty(&conn->subscriber))
		list_add_tail(&conn->subscriber, &topic->subscribers);
	floor_answer(conn, ack, ack[1] + 2);
}

static void floor_connect(struct floor_conn *conn, const u8 *body, u32 len)
{
	u8 ack[FLOOR_ANSWER] = { 0x20, 2 };

	if (len < 7)
		return;
	conn->version = body[6];
	if (conn->version == 5)
		ack[1]++;
	floor_answer(conn, ack, ack[1] + 2);
}

/* Pieces of @skb from @offset on, which is behind its linear part. */
static bool floor_refer(struct floor_message *msg, struct sk_buff *skb,
			u32 offset, u32 len)
{
	struct skb_shared_info *info = skb_shinfo(skb);
	u32 at = skb_headlen(skb), size, skip, i;
	struct page *page;

	if (offset < at || skb_has_frag_list(skb))
		return false;
	for (i = 0; i < info->nr_frags && len; i++) {
		size = skb_frag_size(&info->frags[i]);
		skip = min(offset > at ? offset - at : 0, size);
		at += size;
		if (skip == size)
			continue;
		size = min(size - skip, len);
		len -= size;
		msg->bytes += size;
		offset += size;
		page = skb_frag_page(&info->frags[i]);
		get_page(page);
		msg->pieces[msg->nr++] = (struct bio_vec){
			.bv_page = page,
			.bv_offset = skb_frag_off(&info->frags[i]) + skip,
			.bv_len = size,
		};
	}
	return !len;
}

/*
 * Length of the packet at the start of @buf, of whose bytes @have are there; @body:
 * where its header ends. Return: 0: not whole.
 */
static u32 floor_packet_len(const u8 *buf, u32 have, u32 *body)
{
	u32 len = 0, at = 1, shift = 0;

	do {
		if (at >= have || at > 4)
			return 0;
		len |= (buf[at] & 0x7f) << shift;
		shift += 7;
	} while (buf[at++] & 0x80);
	*body = at;
	return at + len;
}

/* Return: false: it is not what the load generator sends. */
static bool floor_publish(struct floor_conn *conn, struct floor_message *msg,
			  const u8 *body, u32 len)
{
	u32 name = body[0] << 8 | body[1];

	if (name + 2 > len)
		return false;
	conn->publishes = floor_topic_of(conn->publishes, body + 2, name);
	if (!conn->publishes)
		return false;
	msg->topic = conn->publishes;
	msg->next = msg->topic->subscribers.next;
	return true;
}

/* tcp_read_sock(): a packet, which is whole, since no more are on their way. */
static int floor_read(read_descriptor_t *desc, struct sk_buff *skb,
		      unsigned int offset, size_t have)
{
	u32 some = min_t(size_t, have, FLOOR_HEAD), body, len;
	struct floor_message *msg = &floor_message;
	struct floor_conn *conn = desc->arg.data;
	u8 buf[FLOOR_HEAD];

	/* Of one piece of data it is called again, whatever it says. */
	if (msg->topic || skb_copy_bits(skb, offset, buf, some))
		return 0;
	if (buf[0] >> 4 == FLOOR_DISCONNECT)
		floor_close(conn);
	len = floor_packet_len(buf, some, &body);
	if (!len || len > have || some < body + 6)
		return have;
	if (buf[0] >> 4 == FLOOR_CONNECT)
		floor_connect(conn, buf + body, some - body);
	else if (buf[0] >> 4 == FLOOR_SUBSCRIBE)
		floor_subscribe(conn, buf + body, some - body);
	else if (buf[0] >> 4 == FLOOR_PUBLISH &&
		 floor_publish(conn, msg, buf + body, some - body) &&
		 !floor_refer(msg, skb, offset, len))
		floor_forget(msg);
	desc->count = !msg->topic;
	return len;
}

/* One message at most. Return: nothing is left. */
static bool floor_conn_read(struct floor_conn *conn)
{
	read_descriptor_t desc = { .arg.data = conn, .count = 1 };
	struct sock *sk = conn->sock->sk;
	bool empty;

	bh_lock_sock(sk);
	tcp_read_sock(sk, &desc, floor_read);
	empty = skb_queue_empty(&sk->sk_receive_queue);
	/* If its state changed before we were told of it. */
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		floor_close(conn);
	bh_unlock_sock(sk);
	return empty;
}

static struct floor_conn *floor_next(void)
{
	static struct llist_node *first;
	struct floor_conn *conn;

	if (!first)
		first = llist_reverse_order(llist_del_all(&floor_arrived));
	if (!first)
		return NULL;
	conn = llist_entry(first, struct floor_conn, waits);
	first = first->next;
	/* Not before its link was read: it may arrive again at once. */
	atomic_set_release(&conn->waiting, 0);
	return conn;
}

static void floor_run(struct tasklet_struct *tasklet)
{
	u32 left = FLOOR_CHUNK;

	spin_lock(&floor_lock);
	while (!floor_message.topic || floor_fan_out(&floor_message, &left)) {
		if (!floor_reading)
			floor_reading = floor_next();
		if (!floor_reading || !left)
			break;
		left--;
		if (floor_conn_read(floor_reading) || !floor_message.topic)
			floor_reading = NULL;
	}
	spin_unlock(&floor_lock);
	if (floor_message.topic || floor_reading)
		tasklet_schedule(tasklet);
}

/* Connections. */

static void floor_arrive(struct floor_conn *conn)
{
	if (!atomic_xchg(&conn->waiting, 1) &&
	    llist_add(&conn->waits, &floor_arrived))
		tasklet_schedule(&floor_tasklet);
}

/* Softirq, the socket locked. */
static void floor_data_ready(struct sock *sk)
{
	struct floor_conn *conn;

	read_lock_bh(&sk->sk_callback_lock);
	conn = sk->sk_user_data;
	if (conn)
		floor_arrive(conn);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void floor_state_change(struct sock *sk)
{
	struct floor_conn *conn;

	read_lock_bh(&sk->sk_callback_lock);
	conn = sk->sk_user_data;
	if (conn && sk->sk_shutdown & RCV_SHUTDOWN)
		floor_close(conn);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void floor_attach(struct floor_conn *conn)
{
	struct sock *sk = conn->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = conn;
	sk->sk_data_ready = floor_data_ready;
	sk->sk_state_change = floor_state_change;
	/* What came before. */
	floor_arrive(conn);
	write_unlock_bh(&sk->sk_callback_lock);
}

static void floor_detach(struct sock *sk)
{
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	write_unlock_bh(&sk->sk_callback_lock);
}

static void floor_end(struct work_struct *work)
{
	struct floor_conn *conn = container_of(work, struct floor_conn, end);
	bool held;

	/* From here on it does not arrive any more. */
	floor_detach(conn->sock->sk);
	spin_lock_bh(&floor_lock);
	held = atomic_read(&conn->waiting) || floor_reading == conn;
	if (!held) {
		if (floor_message.topic &&
		    floor_message.next == &conn->subscriber)
			floor_message.next = conn->subscriber.next;
		list_del(&conn->subscriber);
		list_del(&conn->list);
	}
	spin_unlock_bh(&floor_lock);
	if (held) {
		usleep_range(50, 100);
		queue_work(floor_wq, &conn->end);
		return;
	}
	sock_release(conn->sock);
	kfree(conn);
}

static void floor_accepted(struct socket *sock)
{
	struct floor_conn *conn = kzalloc(sizeof(*conn), GFP_KERNEL);

	if (!conn) {
		sock_release(sock);
		return;
	}
	conn->sock = sock;
	INIT_LIST_HEAD(&conn->subscriber);
	INIT_WORK(&conn->end, floor_end);
	tcp_sock_set_nodelay(sock->sk);
	/* What is left when it is closed needs TCP's timers. */
	kmqtt_compat_hold_net(sock->sk);
	spin_lock_bh(&floor_lock);
	list_add_tail(&conn->list, &floor_conns);
	spin_unlock_bh(&floor_lock);
	floor_attach(conn);
}

static void floor_accept(struct work_struct *work)
{
	struct socket *sock;
	int ret;

	do {
		ret = kernel_accept(floor_listener, &sock, O_NONBLOCK);
		if (!ret)
			floor_accepted(sock);
	} while (!ret || ret == -ECONNABORTED);
}

/* Inherited by what is accepted, until it is attached. */
static void floor_listen_ready(struct sock *sk)
{
	if (sk->sk_state == TCP_LISTEN)
		queue_work(floor_wq, &floor_accept_work);
}

static int floor_listen(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int ret;

	ret = sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP,
			       &floor_listener);
	if (ret)
		return ret;
	sock_set_reuseaddr(floor_listener->sk);
	floor_saved_ready = floor_listener->sk->sk_data_ready;
	floor_listener->sk->sk_data_ready = floor_listen_ready;
	ret = kmqtt_compat_bind(floor_listener,
				(struct sockaddr_storage *)&address,
				sizeof(address));
	if (!ret)
		ret = kernel_listen(floor_listener, FLOOR_BACKLOG);
	if (ret)
		sock_release(floor_listener);
	return ret;
}

static int __init floor_init(void)
{
	int ret;

	tasklet_setup(&floor_tasklet, floor_run);
	INIT_WORK(&floor_accept_work, floor_accept);
	floor_wq = alloc_workqueue("floor", KMQTT_COMPAT_WQ_PERCPU, 0);
	if (!floor_wq)
		return -ENOMEM;
	ret = floor_listen();
	if (ret)
		destroy_workqueue(floor_wq);
	return ret;
}

static void floor_end_all(void)
{
	struct floor_conn *conn;

	spin_lock_bh(&floor_lock);
	list_for_each_entry(conn, &floor_conns, list)
		floor_close(conn);
	spin_unlock_bh(&floor_lock);
}

static void __exit floor_exit(void)
{
	struct floor_topic *topic, *next;

	WRITE_ONCE(floor_listener->sk->sk_data_ready, floor_saved_ready);
	/* Who has read it before, under RCU, as TCP receives. */
	synchronize_net();
	cancel_work_sync(&floor_accept_work);
	sock_release(floor_listener);
	floor_end_all();
	destroy_workqueue(floor_wq);
	/* Who was in a callback. */
	synchronize_net();
	tasklet_kill(&floor_tasklet);
	if (floor_frag.page)
		put_page(floor_frag.page);
	list_for_each_entry_safe(topic, next, &floor_topics, list)
		kfree(topic);
}

module_init(floor_init);
module_exit(floor_exit);
MODULE_DESCRIPTION("What TCP and the clients alone cost: a bound for kmqtt's benchmark");
MODULE_LICENSE("GPL");
