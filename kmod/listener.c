// SPDX-License-Identifier: GPL-2.0
/* Bound, listening sockets that turn into connections. */
#include "listener.h"

#include <linux/delay.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/un.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "conn.h"
#include "control.h"
#include "half_open.h"
#include "transport.h"

/* Connections accepted in one run of the work before others get their turn. */
#define KMQTT_ACCEPT_BUDGET	64
#define KMQTT_ACCEPT_PAUSE_MS	10

void kmqtt_listener_get(struct kmqtt_listener *listener)
{
	kref_get(&listener->ref);
}

static void kmqtt_listener_free(struct kref *ref)
{
	kfree(container_of(ref, struct kmqtt_listener, ref));
}

void kmqtt_listener_put(struct kmqtt_listener *listener)
{
	kref_put(&listener->ref, kmqtt_listener_free);
}

/*
 * Room for one more connection? Beyond a limit the peer is closed at once. But
 * who holds a place and says nothing shall not keep others out: for the places
 * of half-open connections he has as long as it takes newer ones to fill them,
 * for all others a second. He is counted until his end, so for that moment
 * there may be more connections than the limit.
 */
static bool kmqtt_listener_admits(struct kmqtt_listener *listener)
{
	struct kmqtt_broker *broker = listener->broker;
	u32 max = READ_ONCE(listener->max_connections);
	bool full = max && atomic_read(&listener->nr_conns) >= max;

	/* One of its own makes room in both. */
	if (full || atomic_read(&broker->nr_conns) >=
		    kmqtt_cfg(broker, KMQTT_SET_MAX_CONNECTIONS))
		return kmqtt_half_open_make_room(broker, full ? listener : NULL,
						 HZ);
	return atomic_read(&broker->nr_half_open) <
	       kmqtt_cfg(broker, KMQTT_SET_MAX_HALF_OPEN) ||
	       kmqtt_half_open_make_room(broker, NULL, 0);
}

static void kmqtt_listener_take(struct kmqtt_listener *listener,
				struct socket *sock)
{
	struct kmqtt_broker *broker = listener->broker;

	kmqtt_stat_inc(broker, KMQTT_STAT_CONNECTIONS_ACCEPTED);
	if (kmqtt_listener_admits(listener) &&
	    !kmqtt_conn_create(listener, sock))
		return;
	kmqtt_stat_inc(broker, KMQTT_STAT_CONNECTIONS_REFUSED);
	sock_no_linger(sock->sk);
	sock_release(sock);
}

static void kmqtt_listener_accept(struct work_struct *work)
{
	struct kmqtt_listener *listener =
		container_of(to_delayed_work(work), struct kmqtt_listener,
			     accept_work);
	int budget = KMQTT_ACCEPT_BUDGET, ret;
	unsigned long delay = 0;
	struct socket *sock;

	while (budget-- > 0) {
		ret = kernel_accept(listener->sock, &sock, O_NONBLOCK);
		if (ret == -EAGAIN)
			return;
		if (!ret) {
			kmqtt_listener_take(listener, sock);
			/* Spares a socket made for nobody. */
			if (kmqtt_transport_nobody_waits(listener->sock))
				return;
		} else if (ret != -ECONNABORTED) {
			/* No memory or no descriptor: not a busy loop. */
			delay = msecs_to_jiffies(KMQTT_ACCEPT_PAUSE_MS);
			break;
		}
	}
	queue_delayed_work(kmqtt_wq, &listener->accept_work, delay);
}

/*
 * Softirq; of a Unix socket the connecting process. TCP's children inherit this
 * callback with a NULL sk_user_data until kmqtt_conn_create() gives them one of
 * their own; it has nothing to do then.
 */
static void kmqtt_listener_data_ready(struct sock *sk)
{
	struct kmqtt_listener *listener;

	read_lock_bh(&sk->sk_callback_lock);
	rcu_read_lock();
	listener = rcu_dereference_sk_user_data(sk);
	if (listener && sk->sk_state == TCP_LISTEN)
		queue_delayed_work(kmqtt_wq, &listener->accept_work, 0);
	rcu_read_unlock();
	read_unlock_bh(&sk->sk_callback_lock);
}

static void kmqtt_listener_attach(struct kmqtt_listener *listener)
{
	struct sock *sk = listener->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	listener->saved_data_ready = sk->sk_data_ready;
	sk->sk_data_ready = kmqtt_listener_data_ready;
	/* Not inherited by children. */
	__rcu_assign_sk_user_data_with_flags(sk, listener, SK_USER_DATA_NOCOPY);
	write_unlock_bh(&sk->sk_callback_lock);
}

static void kmqtt_listener_detach(struct kmqtt_listener *listener)
{
	struct sock *sk = listener->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = listener->saved_data_ready;
	rcu_assign_sk_user_data(sk, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
}

static bool kmqtt_addr_equal(const struct sockaddr_storage *a,
			     const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	const struct sockaddr_un *au = (const void *)a, *bu = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_UNIX)
		return !strcmp(au->sun_path, bu->sun_path);
	if (a->ss_family == AF_INET)
		return a4->sin_port == b4->sin_port &&
		       a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a6->sin6_port == b6->sin6_port &&
	       ipv6_addr_equal(&a6->sin6_addr, &b6->sin6_addr) &&
	       a6->sin6_scope_id == b6->sin6_scope_id;
}

struct kmqtt_listener *kmqtt_listener_by_id(struct kmqtt_broker *broker, u32 id)
{
	struct kmqtt_listener *listener;

	lockdep_assert_held(&broker->lock);
	list_for_each_entry(listener, &broker->listeners, list)
		if (listener->id == id)
			return listener;
	return NULL;
}

struct kmqtt_listener *
kmqtt_listener_by_addr(struct kmqtt_broker *broker,
		       const struct sockaddr_storage *addr)
{
	struct kmqtt_listener *listener;

	lockdep_assert_held(&broker->lock);
	list_for_each_entry(listener, &broker->listeners, list)
		if (kmqtt_addr_equal(&listener->addr, addr))
			return listener;
	return NULL;
}

/* May it be added? broker->lock held. */
static int kmqtt_listener_check(struct kmqtt_listener *listener,
				struct netlink_ext_ack *extack)
{
	struct kmqtt_broker *broker = listener->broker;

	lockdep_assert_held(&broker->lock);
	if (broker->stopping) {
		NL_SET_ERR_MSG(extack, "the broker is being stopped");
		return -ESHUTDOWN;
	}
	if (kmqtt_listener_by_addr(broker, &listener->addr)) {
		if (listener->addr.ss_family == AF_UNIX)
			NL_SET_ERR_MSG(extack,
				       "kmqtt already listens at this path");
		else
			NL_SET_ERR_MSG(extack,
				       "kmqtt already listens on this address and port");
		return -EEXIST;
	}
	return 0;
}

/* broker->lock held. */
static int kmqtt_listener_add(struct kmqtt_listener *listener,
			      struct netlink_ext_ack *extack)
{
	struct kmqtt_broker *broker = listener->broker;
	int ret;

	ret = kmqtt_listener_check(listener, extack);
	if (ret)
		return ret;
	kmqtt_listener_attach(listener);
	ret = kmqtt_transport_listen(listener->sock);
	if (ret) {
		NL_SET_ERR_MSG(extack,
			       "another program listens on this address and port");
		kmqtt_listener_detach(listener);
		return ret;
	}
	listener->id = ++broker->listener_id;
	list_add_tail(&listener->list, &broker->listeners);
	return listener->id;
}

static int kmqtt_listener_open(struct kmqtt_listener *listener,
			       struct netlink_ext_ack *extack)
{
	struct kmqtt_broker *broker = listener->broker;
	int ret;

	mutex_lock(&broker->lock);
	ret = kmqtt_listener_check(listener, extack);
	mutex_unlock(&broker->lock);
	if (ret)
		return ret;
	/* Not under the lock: to make a file may take time. */
	ret = kmqtt_transport_open(broker->net, &listener->addr,
				   &listener->sock, extack);
	if (ret)
		return ret;
	mutex_lock(&broker->lock);
	ret = kmqtt_listener_add(listener, extack);
	mutex_unlock(&broker->lock);
	if (ret < 0)
		sock_release(listener->sock);
	return ret;
}

int kmqtt_listener_create(struct kmqtt_broker *broker,
			  const struct sockaddr_storage *addr, u8 auth_mode,
			  u32 max_connections, struct netlink_ext_ack *extack)
{
	struct kmqtt_listener *listener;
	int ret;

	listener = kzalloc(sizeof(*listener), GFP_KERNEL);
	if (!listener) {
		NL_SET_ERR_MSG(extack, "no memory for a listener");
		return -ENOMEM;
	}
	kref_init(&listener->ref);
	listener->broker = broker;
	listener->addr = *addr;
	listener->auth_mode = auth_mode;
	listener->max_connections = max_connections;
	INIT_DELAYED_WORK(&listener->accept_work, kmqtt_listener_accept);

	ret = kmqtt_listener_open(listener, extack);
	if (ret < 0) {
		kmqtt_listener_put(listener);
		return ret;
	}
	kmqtt_event_listener(broker, KMQTT_EVENT_LISTENER_ADDED, ret);
	return ret;
}

void kmqtt_listener_remove(struct kmqtt_listener *listener, bool abort)
{
	struct kmqtt_broker *broker = listener->broker;

	lockdep_assert_held(&broker->lock);
	list_del(&listener->list);
	kmqtt_listener_detach(listener);
	/* Accepting takes no broker->lock, so this cannot wait for itself. */
	cancel_delayed_work_sync(&listener->accept_work);
	sock_release(listener->sock);
	listener->sock = NULL;
	kmqtt_conn_close_all(broker, listener, MQTT_RC_SERVER_SHUTTING_DOWN,
			     abort);
	kmqtt_event_listener(broker, KMQTT_EVENT_LISTENER_REMOVED,
			     listener->id);
	kmqtt_listener_put(listener);
}
