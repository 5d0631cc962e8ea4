/* SPDX-License-Identifier: GPL-2.0 */
/* TCP and Unix sockets: all that differs between them. */
#ifndef KMQTT_TRANSPORT_H
#define KMQTT_TRANSPORT_H

#include "conn.h"

/*
 * What a Unix socket holds of what its client does not read: bytes, with all
 * overhead. One more buffer is let in as long as the send buffer is not full:
 * 32 KiB, a page for what is not in pages, and what describes them.
 */
#define KMQTT_UNIX_HOLDS	131072
#define KMQTT_UNIX_BUFFER	(32768 + 8192)
#define KMQTT_SNDBUF_UNIX	(KMQTT_UNIX_HOLDS - KMQTT_UNIX_BUFFER)

struct net;
struct netlink_ext_ack;
struct sockaddr_storage;

/**
 * kmqtt_transport_open() - make a socket and bind it
 * @net: the broker's
 * @addr: AF_INET, AF_INET6 (then IPv6 only), or AF_UNIX with a path, at which
 *	the caller makes a file: his folders, permissions and umask count
 * @sock: the result
 * @extack: says what was wrong
 *
 * Context: the process of the request, without a lock.
 * Return: 0, or -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -ENOENT, ...
 */
int kmqtt_transport_open(struct net *net, struct sockaddr_storage *addr,
			 struct socket **sock, struct netlink_ext_ack *extack);

/* Let clients connect to it. Return: 0 or -EADDRINUSE. Process context. */
int kmqtt_transport_listen(struct socket *sock);

/* @sock was accepted by @listener: set it up; @peer: where it comes from. */
void kmqtt_transport_accepted(const struct kmqtt_listener *listener,
			      struct socket *sock, union kmqtt_addr *peer);

/* Through a Unix socket? */
static inline bool kmqtt_transport_is_unix(const struct kmqtt_conn *conn)
{
	return unlikely(conn->peer.sa.sa_family == AF_UNIX);
}

/* Address and port of the peer; of a Unix socket the listener's path. */
const struct sockaddr *kmqtt_transport_addr(const struct kmqtt_conn *conn);

/*
 * There is nothing to read, nor an end. What comes later calls the callbacks, if
 * they were set before this. Process context.
 */
bool kmqtt_transport_quiet(const struct kmqtt_conn *conn);

/* Is there no one left to accept? Who comes later calls back. */
bool kmqtt_transport_nobody_waits(const struct socket *sock);

/* Has the socket room to go on sending? Any context. */
bool kmqtt_transport_writeable(const struct kmqtt_conn *conn);

/*
 * Has the peer acknowledged what was sent, but for a segment or two: TCP takes
 * its time? Of a Unix socket: has it read all? Any context.
 */
bool kmqtt_transport_idle(const struct kmqtt_conn *conn);

/**
 * kmqtt_transport_read() - kernel_recvmsg() in whatever process
 * @conn: who reads it holds KMQTT_CONN_RX
 * @buf: where to
 * @size: its bytes
 *
 * A Unix socket is also read by the process that has written to it, whose
 * security module has no say in what the broker does.
 *
 * Context: process, without a lock; does not wait for what is not there.
 * Return: bytes, 0: the end, -EAGAIN, or what the socket says.
 */
int kmqtt_transport_read(struct kmqtt_conn *conn, void *buf, u32 size);

/* kernel_sendmsg(), likewise; @bytes in @vec[@nr]. */
int kmqtt_transport_send(struct kmqtt_conn *conn, struct kvec *vec, u32 nr,
			 size_t bytes);

/*
 * The same with bottom halves disabled, in a client's process. Return: as sendmsg(),
 * -ENOBUFS: no memory.
 */
int kmqtt_transport_send_nowait(struct kmqtt_conn *conn, struct kvec *vec,
				u32 nr, size_t bytes);

/*
 * Can and may it be sent to with bottom halves disabled? Through a Unix socket in a
 * client's process (@in_client) only: if its peer asks for credentials it is told
 * who sends, so that has to be a process of the same user and PID namespace.
 */
bool kmqtt_transport_nowait(const struct kmqtt_conn *conn, bool in_client);

/*
 * Do descriptors wait with what was not read? One of them may be the peer's
 * own, and keep it there when its last process has gone, which nobody would
 * tell us.
 */
bool kmqtt_transport_has_files(const struct kmqtt_conn *conn);

/*
 * Bytes that the socket holds of what its peer does not read, if the system has
 * no bound for those of all sockets, as it has for TCP's.
 */
static inline u32 kmqtt_transport_holds(const struct kmqtt_conn *conn)
{
	return kmqtt_transport_is_unix(conn) ? KMQTT_UNIX_HOLDS : 0;
}

/* The client was let in: bound what its socket holds. Process context. */
void kmqtt_transport_bound(struct kmqtt_conn *conn);

/* No socket is left: wait for who may still be in a callback of one. */
void kmqtt_transport_uninit(void);

#endif
