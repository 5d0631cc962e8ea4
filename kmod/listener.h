/* SPDX-License-Identifier: GPL-2.0 */
/* A bound, listening socket that turns into connections. */
#ifndef KMQTT_LISTENER_H
#define KMQTT_LISTENER_H

#include <linux/kref.h>
#include <linux/socket.h>
#include <linux/workqueue.h>

struct kmqtt_broker;
struct netlink_ext_ack;
struct sock;
struct socket;

/**
 * struct kmqtt_listener - one address and port, or one path
 * @ref: list, each connection
 * @list: in broker->listeners, under broker->lock
 * @broker: whose
 * @id: for netlink, never 0, not reused
 * @addr: IPv4, IPv6, or a Unix socket with its path
 * @auth_mode: enum kmqtt_auth_mode; READ_ONCE/WRITE_ONCE
 * @max_connections: 0: no bound of its own; READ_ONCE/WRITE_ONCE
 * @nr_conns: connections alive
 * @sock: NULL once removed
 * @accept_work: accepts, with a budget
 */
struct kmqtt_listener {
	struct kref ref;
	struct list_head list;
	struct kmqtt_broker *broker;
	u32 id;
	struct sockaddr_storage addr;
	u8 auth_mode;
	u32 max_connections;
	atomic_t nr_conns;
	struct socket *sock;
	struct delayed_work accept_work;
	void (*saved_data_ready)(struct sock *sk);
};

/**
 * kmqtt_listener_create() - bind and listen
 * @addr: AF_INET, AF_INET6 (then IPv6 only) or AF_UNIX with a path, where the
 *	caller makes a file: his folder, permissions and umask count
 *
 * Context: process; takes broker->lock.
 * Return: the listener's id, or -EADDRINUSE, -EADDRNOTAVAIL, -EEXIST, ...
 */
int kmqtt_listener_create(struct kmqtt_broker *broker,
			  const struct sockaddr_storage *addr, u8 auth_mode,
			  u32 max_connections, struct netlink_ext_ack *extack);

/*
 * Stop listening; end its connections with 0x8b (@abort: without a word).
 * broker->lock held.
 */
void kmqtt_listener_remove(struct kmqtt_listener *listener, bool abort);

/* broker->lock held. Return: the listener or NULL; no reference. */
struct kmqtt_listener *kmqtt_listener_by_id(struct kmqtt_broker *broker, u32 id);
struct kmqtt_listener *
kmqtt_listener_by_addr(struct kmqtt_broker *broker,
		       const struct sockaddr_storage *addr);

void kmqtt_listener_get(struct kmqtt_listener *listener);
void kmqtt_listener_put(struct kmqtt_listener *listener);

#endif
