// SPDX-License-Identifier: GPL-2.0
/* TCP, as far as the broker sees it: buffers, states and callbacks. */
#include <stdlib.h>
#include <string.h>
#include <linux/errno.h>
#include <net/tcp.h>
#include "shim.h"

/* What is split up, bytes at once. */
#define SHIM_SPLIT_MAX	65536

static LIST_HEAD(listeners);
const struct proto tcp_prot = {
	.sendmsg = tcp_sendmsg,
	.recvmsg = tcp_recvmsg,
};

/* Who waits in the kernel's own way is nobody here. */
static void sock_def_callback(struct sock *sk)
{
	(void)sk;
}

static struct sock *sk_new(struct net *net, int state)
{
	struct sock *sk = calloc(1, sizeof(*sk));

	SHIM_CHECK(sk);
	shim_live++;
	sk->net = net;
	sk->sk_state = state;
	sk->sk_prot = &tcp_prot;
	sk->sk_route_caps = NETIF_F_SG;
	sk->sk_data_ready = sock_def_callback;
	sk->sk_write_space = sock_def_callback;
	sk->sk_state_change = sock_def_callback;
	INIT_LIST_HEAD(&sk->backlog);
	INIT_LIST_HEAD(&sk->waiting);
	return sk;
}

static void sk_free(struct sock *sk)
{
	if (sk->peer) {
		sk->peer->shut = true;
		sk->peer->sk = NULL;
	}
	if (sk->sk_frag.page)
		put_page(sk->sk_frag.page);
	free(sk);
	shim_live--;
}

static struct socket *socket_new(struct sock *sk)
{
	struct socket *sock = calloc(1, sizeof(*sock));

	SHIM_CHECK(sock);
	shim_live++;
	sock->sk = sk;
	sk->socket = sock;
	return sock;
}

int sock_create_kern(struct net *net, int family, int type, int protocol,
		     struct socket **res)
{
	(void)type;
	(void)protocol;
	shim_might_sleep();
	if (shim_fails())
		return -ENOBUFS;
	*res = socket_new(sk_new(net, TCP_CLOSE));
	(*res)->sk->sk_family = family;
	return 0;
}

void sock_release(struct socket *sock)
{
	struct sock *sk = sock->sk, *child, *next;

	shim_might_sleep();
	/* A callback into memory that is about to be freed. */
	SHIM_CHECK(!sk->sk_user_data);
	list_for_each_entry_safe(child, next, &sk->backlog, waiting) {
		list_del(&child->waiting);
		sk_free(child);
	}
	if (sk->sk_state == TCP_LISTEN)
		list_del(&sk->waiting);
	sk_free(sk);
	free(sock);
	shim_live--;
}

int kernel_bind(struct socket *sock, struct sockaddr *addr, int len)
{
	const struct sockaddr_in *in = (const void *)addr;

	(void)len;
	shim_might_sleep();
	if (shim_fails())
		return -EADDRNOTAVAIL;
	sock->sk->port = ntohs(in->sin_port);
	return 0;
}

int kernel_listen(struct socket *sock, int backlog)
{
	(void)backlog;
	shim_might_sleep();
	if (shim_fails())
		return -EADDRINUSE;
	sock->sk->sk_state = TCP_LISTEN;
	list_add_tail(&sock->sk->waiting, &listeners);
	return 0;
}

int kernel_accept(struct socket *sock, struct socket **res, int flags)
{
	struct sock *child;

	(void)flags;
	shim_might_sleep();
	child = list_first_entry_or_null(&sock->sk->backlog, struct sock,
					 waiting);
	if (!child)
		return -EAGAIN;
	if (shim_fails())
		return -ENFILE;
	list_del_init(&child->waiting);
	*res = socket_new(child);
	return 0;
}

int kernel_getpeername(struct socket *sock, struct sockaddr *addr)
{
	struct sockaddr_in *in = (void *)addr;

	SHIM_CHECK(sock->sk);
	in->sin_family = AF_INET;
	in->sin_port = htons(sock->sk->port);
	return sizeof(*in);
}

int kernel_recvmsg(struct socket *sock, struct msghdr *msg, struct kvec *vec,
		   size_t nr, size_t size, int flags)
{
	struct sock *sk = sock->sk;
	struct shim_peer *peer = sk->peer;
	u32 len = peer->in_len - peer->in_read;
	int err = sk->sk_err;

	SHIM_CHECK(nr == 1 && vec->iov_len == size && msg && flags & MSG_DONTWAIT);
	shim_might_sleep();
	/* Megabytes in pieces of a byte take longer than they are worth. */
	if (peer->segment && len <= SHIM_SPLIT_MAX)
		len = min(len, peer->segment);
	len = min_t(u32, len, size);
	if (len) {
		memcpy(vec->iov_base, peer->in + peer->in_read, len);
		peer->was_read(peer, peer->in + peer->in_read, len);
		peer->in_read += len;
		return len;
	}
	sk->sk_err = 0;
	if (err)
		return -err;
	if (sk->sk_shutdown & RCV_SHUTDOWN || sk->sk_state == TCP_CLOSE)
		return 0;
	return -EAGAIN;
}

/* For its address. */
int tcp_recvmsg(struct sock *sk)
{
	SHIM_CHECK(!sk);
	return -EOPNOTSUPP;
}

int skb_copy_bits(const struct sk_buff *skb, int offset, void *to, int len)
{
	memcpy(to, skb->data + offset, len);
	return 0;
}

/* A tasklet's: all that is there comes in one piece, or in @segment ones. */
int tcp_read_sock(struct sock *sk, read_descriptor_t *desc,
		  sk_read_actor_t actor)
{
	struct shim_peer *peer = sk->peer;
	struct sk_buff skb;
	u32 len, used, all = 0;

	SHIM_CHECK(shim_in_interrupt());
	while ((len = peer->in_len - peer->in_read)) {
		if (peer->segment)
			len = min(len, peer->segment);
		skb.data = peer->in + peer->in_read;
		used = actor(desc, &skb, 0, len);
		SHIM_CHECK(used == 0 || used == len);
		if (!used)
			break;
		peer->was_read(peer, skb.data, used);
		peer->in_read += used;
		all += used;
		if (!desc->count)
			break;
	}
	return all;
}

bool sk_stream_is_writeable(const struct sock *sk)
{
	return sk->peer->window && !sk->sk_err;
}

bool sock_writeable(const struct sock *sk)
{
	return sk_stream_is_writeable(sk);
}

bool skb_queue_empty_lockless(const struct sk_buff_head *queue)
{
	const struct sock *sk = container_of(queue, struct sock,
					     sk_receive_queue);

	if (sk->sk_state == TCP_LISTEN)
		return list_empty(&sk->backlog);
	return sk->peer->in_len == sk->peer->in_read;
}

/* It is looked at only. */
struct sk_buff *skb_peek(const struct sk_buff_head *queue)
{
	static struct sk_buff skb;
	const struct shim_peer *peer = container_of(queue, struct sock,
						    sk_receive_queue)->peer;

	if (skb_queue_empty_lockless(queue))
		return NULL;
	skb.data = peer->in + peer->in_read;
	skb.len = peer->in_len - peer->in_read;
	return &skb;
}

struct tcp_sock *tcp_sk(const struct sock *sk)
{
	static struct tcp_sock nowhere;

	SHIM_CHECK(sk);
	return &nowhere;
}

void lock_sock(struct sock *sk)
{
	SHIM_CHECK(sk);
	shim_might_sleep();
}

void release_sock(struct sock *sk)
{
	SHIM_CHECK(sk);
}

bool sock_owned_by_user(struct sock *sk)
{
	if (!sk->peer->busy)
		return false;
	sk->peer->busy--;
	return true;
}

static int sk_send(struct sock *sk, const struct kvec *vec, size_t nr,
		   size_t size)
{
	struct shim_peer *peer = sk->peer;
	size_t sent = 0, len, i, sum = 0;

	for (i = 0; i < nr; i++)
		sum += vec[i].iov_len;
	SHIM_CHECK(sum == size && size);
	if (sk->sk_err)
		return -sk->sk_err;
	if (sk->sk_shutdown & SEND_SHUTDOWN || sk->sk_state == TCP_CLOSE)
		return -EPIPE;
	if (peer->starved) {
		peer->starved--;
		return -EAGAIN;
	}
	for (i = 0; i < nr && peer->window; i++) {
		len = min_t(size_t, vec[i].iov_len, peer->window);
		peer->was_sent(peer, vec[i].iov_base, len);
		peer->window -= len;
		sent += len;
	}
	/* What does not fit waits for the peer to take what was sent. */
	if (!peer->window)
		sk->sk_wmem_queued = 1;
	return sent ? (int)sent : -EAGAIN;
}

int kernel_sendmsg(struct socket *sock, struct msghdr *msg, struct kvec *vec,
		   size_t nr, size_t size)
{
	SHIM_CHECK(msg->msg_flags & MSG_DONTWAIT);
	shim_might_sleep();
	return sk_send(sock->sk, vec, nr, size);
}

int tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	return tcp_sendmsg_locked(sk, msg, size);
}

/* By who may sleep, or said not to. */
static void sk_check_locked(const struct sock *sk)
{
	if (sk->sk_allocation != GFP_ATOMIC)
		shim_might_sleep();
}

int tcp_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size)
{
	sk_check_locked(sk);
	if (!skb_page_frag_refill(64, &sk->sk_frag, GFP_ATOMIC))
		return -EAGAIN;
	return sk_send(sk, msg->msg_iter.vec, msg->msg_iter.nr, size);
}

int tcp_sendpage_locked(struct sock *sk, struct page *page, int offset,
			size_t size, int flags)
{
	struct kvec vec = {
		.iov_base = page->memory + offset,
		.iov_len = size,
	};

	(void)flags;
	sk_check_locked(sk);
	/* It would copy from a fragment to the same one. */
	SHIM_CHECK(sk->sk_route_caps & NETIF_F_SG);
	SHIM_CHECK(page->refs > 0 && offset + size <= page->size);
	return sk_send(sk, &vec, 1, size);
}

int kernel_sock_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;

	shim_might_sleep();
	if (sk->sk_state == TCP_CLOSE)
		return -ENOTCONN;
	sk->sk_shutdown |= how == SHUT_RDWR ? RCV_SHUTDOWN | SEND_SHUTDOWN :
					      SEND_SHUTDOWN;
	if (sk->sk_state == TCP_ESTABLISHED)
		sk->sk_state = TCP_FIN_WAIT2;
	else if (sk->sk_state == TCP_CLOSE_WAIT)
		sk->sk_state = TCP_CLOSE;
	sk->peer->shut = true;
	sk->sk_state_change(sk);
	return 0;
}

bool shim_peer_connect(struct shim_peer *peer, u16 port)
{
	struct sock *listener, *child;

	list_for_each_entry(listener, &listeners, waiting) {
		if (listener->port != port)
			continue;
		child = sk_new(listener->net, TCP_ESTABLISHED);
		child->port = port;
		/* What a child inherits; not sk_user_data. */
		child->sk_data_ready = listener->sk_data_ready;
		child->peer = peer;
		peer->sk = child;
		list_add_tail(&child->waiting, &listener->backlog);
		listener->sk_data_ready(listener);
		return true;
	}
	return false;
}

void shim_peer_write(struct shim_peer *peer, const u8 *data, u32 len)
{
	struct sock *sk = peer->sk;

	if (!sk || peer->fin || peer->reset || !len)
		return;
	if (peer->in_len + len > peer->in_size) {
		peer->in_size = 2 * (peer->in_len + len);
		peer->in = realloc(peer->in, peer->in_size);
		SHIM_CHECK(peer->in);
	}
	memcpy(peer->in + peer->in_len, data, len);
	peer->in_len += len;
	sk->sk_data_ready(sk);
	shim_softirq();
}

void shim_peer_fin(struct shim_peer *peer)
{
	struct sock *sk = peer->sk;

	if (!sk || peer->fin || peer->reset)
		return;
	peer->fin = true;
	sk->sk_shutdown |= RCV_SHUTDOWN;
	sk->sk_state = sk->sk_state == TCP_ESTABLISHED ? TCP_CLOSE_WAIT :
							 TCP_CLOSE;
	sk->sk_state_change(sk);
}

void shim_peer_reset(struct shim_peer *peer)
{
	struct sock *sk = peer->sk;

	if (!sk || peer->reset)
		return;
	peer->reset = true;
	sk->sk_err = sk->sk_state == TCP_CLOSE_WAIT ? EPIPE : ECONNRESET;
	sk->sk_wmem_queued = 0;
	sk->sk_shutdown = RCV_SHUTDOWN | SEND_SHUTDOWN;
	sk->sk_state = TCP_CLOSE;
	sk->sk_state_change(sk);
}

void shim_peer_open_window(struct shim_peer *peer, u32 bytes)
{
	struct sock *sk = peer->sk;

	peer->window = bytes;
	if (!sk || !bytes)
		return;
	sk->sk_wmem_queued = 0;
	if (sk->socket && test_bit(SOCK_NOSPACE, &sk->socket->flags))
		sk->sk_write_space(sk);
}

void shim_peer_free(struct shim_peer *peer)
{
	SHIM_CHECK(!peer->sk);
	free(peer->in);
	memset(peer, 0, sizeof(*peer));
}
