// SPDX-License-Identifier: GPL-2.0
/*
 * TCP and Unix sockets: all that differs between them. What the rest of the
 * module relies on holds for both: a callback when there is something to read
 * or room to write, sk_shutdown when the peer will not send or take any more,
 * and plain errors.
 */
#include "transport.h"

#include <linux/cred.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/netlink.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/tcp.h>
#include <linux/un.h>
#include <net/af_unix.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "compat.h"
#include "listener.h"

/*
 * Bytes TCP takes for a connection beyond what the peer's window has room for.
 * Without this they grow to tcp_wmem[2], 4 MiB, for each peer that has closed
 * its window; what comes then waits in the session's queue, where it is shared,
 * counted and bounded.
 */
#define KMQTT_UNSENT_MAX	131072
/* Receive buffer of a client that was let in (bytes, as TCP counts them). */
#define KMQTT_RCVBUF_MAX	524288
#define KMQTT_BACKLOG		4096

/* Can kmqtt_transport_uninit() wait for who was preempted in a callback? */
#if defined(CONFIG_PREEMPTION) && !defined(CONFIG_TASKS_RCU)
#define KMQTT_CALLBACKS_END	false
#else
#define KMQTT_CALLBACKS_END	true
#endif

/* There was a Unix socket. */
static bool kmqtt_transport_unix;

/*
 * All of it is inherited by what is accepted. A peer without power is found out
 * even with keep alive 0.
 */
static void kmqtt_transport_setup_tcp(struct sock *sk)
{
	sock_set_reuseaddr(sk);
	if (sk->sk_family == AF_INET6)
		ip6_sock_set_v6only(sk);
	sock_set_keepalive(sk);
	tcp_sock_set_nodelay(sk);
	WRITE_ONCE(tcp_sk(sk)->notsent_lowat, KMQTT_UNSENT_MAX);
}

static void kmqtt_transport_explain(int family, int err,
				    struct netlink_ext_ack *extack)
{
	if (err == -EADDRINUSE && family == AF_UNIX)
		NL_SET_ERR_MSG(extack,
			       "there is a file of this name: remove it if nothing serves it");
	else if (err == -EADDRINUSE)
		NL_SET_ERR_MSG(extack,
			       "another program listens on this address and port");
	else if (err == -EADDRNOTAVAIL)
		NL_SET_ERR_MSG(extack,
			       "no network interface has this address");
	else if (family != AF_UNIX)
		NL_SET_ERR_MSG(extack, "the address cannot be bound");
	else if (err == -ENOENT || err == -ENOTDIR)
		NL_SET_ERR_MSG(extack, "the folder of this path does not exist");
	else if (err == -EACCES || err == -EPERM)
		NL_SET_ERR_MSG(extack,
			       "no permission to make a file in the folder of this path");
	else
		NL_SET_ERR_MSG(extack, "no socket can be made at this path");
}

static int kmqtt_transport_bind(struct socket *sock,
				struct sockaddr_storage *addr,
				struct netlink_ext_ack *extack)
{
	struct sockaddr_un *un = (void *)addr;
	int len, ret;

	if (addr->ss_family == AF_UNIX)
		len = offsetof(struct sockaddr_un, sun_path) +
		      strlen(un->sun_path) + 1;
	else if (addr->ss_family == AF_INET6)
		len = sizeof(struct sockaddr_in6);
	else
		len = sizeof(struct sockaddr_in);
	ret = kmqtt_compat_bind(sock, addr, len);
	if (ret)
		kmqtt_transport_explain(addr->ss_family, ret, extack);
	return ret;
}

int kmqtt_transport_open(struct net *net, struct sockaddr_storage *addr,
			 struct socket **sock, struct netlink_ext_ack *extack)
{
	bool path = addr->ss_family == AF_UNIX;
	int ret;

	if (path && !KMQTT_CALLBACKS_END) {
		NL_SET_ERR_MSG(extack,
			       "listeners on Unix sockets take a kernel with CONFIG_TASKS_RCU");
		return -EOPNOTSUPP;
	}
	/*
	 * A path belongs to no network namespace: who is connecting to it, from
	 * another one, may hold the socket for longer than ours is there.
	 */
	ret = sock_create_kern(path ? &init_net : net, addr->ss_family,
			       SOCK_STREAM, path ? 0 : IPPROTO_TCP, sock);
	if (ret == -EAFNOSUPPORT)
		NL_SET_ERR_MSG(extack,
			       "this kernel has no sockets of that address family");
	else if (ret)
		NL_SET_ERR_MSG(extack, "no memory for a socket");
	if (ret)
		return ret;
	if (path)
		WRITE_ONCE(kmqtt_transport_unix, true);
	else
		kmqtt_transport_setup_tcp((*sock)->sk);
	ret = kmqtt_transport_bind(*sock, addr, extack);
	if (ret)
		sock_release(*sock);
	return ret;
}

int kmqtt_transport_listen(struct socket *sock)
{
	int ret = kernel_listen(sock, KMQTT_BACKLOG);

	/*
	 * Inherited, too, but not before: CONNACK acknowledges CONNECT. TCP
	 * finds back to its ways by itself.
	 */
	if (!ret && sock->sk->sk_family != AF_UNIX)
		tcp_sock_set_quickack(sock->sk, 0);
	return ret;
}

void kmqtt_transport_accepted(const struct kmqtt_listener *listener,
			      struct socket *sock, union kmqtt_addr *peer)
{
	if (listener->addr.ss_family != AF_UNIX) {
		kernel_getpeername(sock, &peer->sa);
		return;
	}
	/* It has no name, or one of more bytes than there are. */
	peer->sa.sa_family = AF_UNIX;
	/* What we send is ours to count, not of the client whose process we are in. */
	sock->sk->sk_allocation = GFP_KERNEL;
}

const struct sockaddr *kmqtt_transport_addr(const struct kmqtt_conn *conn)
{
	if (kmqtt_transport_is_unix(conn))
		return (const struct sockaddr *)&conn->listener->addr;
	return &conn->peer.sa;
}

bool kmqtt_transport_has_files(const struct kmqtt_conn *conn)
{
	return kmqtt_transport_is_unix(conn) &&
	       atomic_read(&unix_sk(conn->sock->sk)->scm_stat.nr_fds);
}

bool kmqtt_transport_idle(const struct kmqtt_conn *conn)
{
	struct sock *sk = conn->sock->sk;

	/* What its peer has not read is ours. */
	if (kmqtt_transport_is_unix(conn))
		return !sk_wmem_alloc_get(sk);
	return READ_ONCE(tcp_sk(sk)->packets_out) <= 1;
}

int kmqtt_transport_read(struct kmqtt_conn *conn, void *buf, u32 size)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec vec = { .iov_base = buf, .iov_len = size };
	struct socket *sock = conn->sock;

	if (!kmqtt_transport_is_unix(conn))
		return kernel_recvmsg(sock, &msg, &vec, 1, size, msg.msg_flags);
	iov_iter_kvec(&msg.msg_iter, ITER_DEST, &vec, 1, size);
	return READ_ONCE(sock->ops)->recvmsg(sock, &msg, size, msg.msg_flags);
}

int kmqtt_transport_send(struct kmqtt_conn *conn, struct kvec *vec, u32 nr,
			 size_t bytes)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct socket *sock = conn->sock;

	if (!kmqtt_transport_is_unix(conn))
		return kernel_sendmsg(sock, &msg, vec, nr, bytes);
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, vec, nr, bytes);
	return READ_ONCE(sock->ops)->sendmsg(sock, &msg, bytes);
}

int kmqtt_transport_send_nowait(struct kmqtt_conn *conn, struct kvec *vec,
				u32 nr, size_t bytes)
{
	struct sock *sk = conn->sock->sk;
	gfp_t allocation = sk->sk_allocation;
	int ret;

	/* Who sends owns it. */
	sk->sk_allocation = GFP_NOWAIT | __GFP_NOWARN;
	ret = kmqtt_transport_send(conn, vec, nr, bytes);
	sk->sk_allocation = allocation;
	return ret;
}

static bool kmqtt_transport_unix_nowait(const struct kmqtt_conn *conn)
{
	const struct sock *sk = conn->sock->sk;
	/* Set when it connected. */
	const struct cred *cred = sk->sk_peer_cred;
	struct pid *pid = sk->sk_peer_pid;

	/* Who has put it into a map of sockets reads it in a callback, and sleeps. */
	return KMQTT_COMPAT_UNIX_NOWAIT && cred && pid &&
	       uid_eq(current_uid(), cred->uid) &&
	       ns_of_pid(pid) == task_active_pid_ns(current) &&
	       READ_ONCE(unix_peer(sk)->sk_data_ready) ==
	       conn->saved_data_ready;
}

bool kmqtt_transport_nowait(const struct kmqtt_conn *conn, bool in_client)
{
	return !kmqtt_transport_is_unix(conn) ||
	       (in_client && kmqtt_transport_unix_nowait(conn));
}

bool kmqtt_transport_quiet(const struct kmqtt_conn *conn)
{
	struct sock *sk = conn->sock->sk;
	bool quiet;

	/* Its callback is called behind its lock, so that says nothing. */
	if (kmqtt_transport_is_unix(conn))
		return false;
	local_bh_disable();
	bh_lock_sock(sk);
	quiet = skb_queue_empty_lockless(&sk->sk_receive_queue) &&
		sk->sk_state == TCP_ESTABLISHED && !sk->sk_err;
	bh_unlock_sock(sk);
	local_bh_enable();
	return quiet;
}

bool kmqtt_transport_nobody_waits(const struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (sk->sk_family == AF_UNIX)
		return skb_queue_empty_lockless(&sk->sk_receive_queue);
	return reqsk_queue_empty(&inet_csk(sk)->icsk_accept_queue);
}

bool kmqtt_transport_writeable(const struct kmqtt_conn *conn)
{
	const struct sock *sk = conn->sock->sk;

	/* It counts what the peer has not read, and in another field. */
	if (kmqtt_transport_is_unix(conn))
		return sock_writeable(sk);
	return sk_stream_is_writeable(sk);
}

/*
 * TCP lets the receive buffer of who sends fast grow to tcp_rmem[2], 6 MiB,
 * and all of it can be full of what is not read: a client that takes no
 * answers is not. Before it is let in it has tcp_rmem[1], which is less, or
 * what somebody has set on purpose.
 */
static void kmqtt_transport_bound_tcp(struct sock *sk)
{
	int max = min(KMQTT_RCVBUF_MAX,
		      READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_rmem[2]));

	lock_sock(sk);
	sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
	/* Windows that were offered are not taken back. */
	max = max(max, sk->sk_rcvbuf);
	WRITE_ONCE(sk->sk_rcvbuf, max);
	WRITE_ONCE(tcp_sk(sk)->window_clamp, tcp_win_from_space(sk, max));
	release_sock(sk);
}

void kmqtt_transport_bound(struct kmqtt_conn *conn)
{
	struct sock *sk = conn->sock->sk;

	/*
	 * What a Unix socket's client has sent, and we have not read, counts in
	 * its own send buffer. Ours is the system's default, which may be
	 * anything.
	 */
	if (!kmqtt_transport_is_unix(conn)) {
		kmqtt_transport_bound_tcp(sk);
		return;
	}
	WRITE_ONCE(sk->sk_sndbuf, min(sk->sk_sndbuf, KMQTT_SNDBUF_UNIX));
}

void kmqtt_transport_uninit(void)
{
	/*
	 * A process that sends to a Unix socket, or closes it, calls the other
	 * end's callbacks without a lock: it may have been preempted with one
	 * of ours in its hands, or on its way out of it. If it sleeps in
	 * express.c it has a reference to the connection, and we are not here
	 * yet.
	 */
	if (READ_ONCE(kmqtt_transport_unix))
		synchronize_rcu_tasks();
}
