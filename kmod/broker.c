// SPDX-License-Identifier: GPL-2.0
/* One broker per network namespace: made with it, ended with it. */
#include "broker.h"

#include <linux/module.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "compat.h"
#include "conn.h"
#include "control.h"
#include "datapath.h"
#include "listener.h"
#include "session.h"

/* How far the per-CPU parts of the memory sum may be off (bytes). */
#define KMQTT_MEMORY_BATCH	32768

static struct srcu_struct kmqtt_srcu_storage;
struct srcu_struct *const kmqtt_srcu = &kmqtt_srcu_storage;
struct workqueue_struct *kmqtt_wq;
struct workqueue_struct *kmqtt_ctl_wq;

static unsigned int kmqtt_net_id __read_mostly;

/*
 * The brokers of all namespaces but the initial one share a bound, the default
 * of memory_max: who may make namespaces cannot have the machine's memory by
 * making many.
 */
static struct percpu_counter kmqtt_netns_memory;

static bool kmqtt_broker_shares(const struct kmqtt_broker *broker)
{
	return !net_eq(broker->net, &init_net);
}

/* @bytes: negative to give back */
static void kmqtt_account(struct kmqtt_broker *broker, s64 bytes)
{
	percpu_counter_add_batch(&broker->memory, bytes, KMQTT_MEMORY_BATCH);
	if (kmqtt_broker_shares(broker))
		percpu_counter_add_batch(&kmqtt_netns_memory, bytes,
					 KMQTT_MEMORY_BATCH);
}

static bool kmqtt_fits(struct percpu_counter *memory, size_t bytes, u64 max,
		       enum kmqtt_share share)
{
	return percpu_counter_read_positive(memory) + bytes <=
	       max - (max >> 4) * (KMQTT_PASS - share);
}

bool kmqtt_room(struct kmqtt_broker *broker, size_t bytes,
		enum kmqtt_share share)
{
	return kmqtt_fits(&broker->memory, bytes,
			  kmqtt_cfg(broker, KMQTT_SET_MEMORY_MAX), share) &&
	       (!kmqtt_broker_shares(broker) ||
		kmqtt_fits(&kmqtt_netns_memory, bytes,
			   kmqtt_config_default(KMQTT_SET_MEMORY_MAX), share));
}

bool kmqtt_charge_share(struct kmqtt_broker *broker, size_t bytes,
			enum kmqtt_share share)
{
	if (!kmqtt_room(broker, bytes, share))
		return false;
	kmqtt_account(broker, bytes);
	return true;
}

bool kmqtt_charge(struct kmqtt_broker *broker, size_t bytes)
{
	return kmqtt_charge_share(broker, bytes, KMQTT_PASS);
}

void kmqtt_charge_always(struct kmqtt_broker *broker, size_t bytes)
{
	kmqtt_account(broker, bytes);
}

void kmqtt_uncharge(struct kmqtt_broker *broker, size_t bytes)
{
	kmqtt_account(broker, -(s64)bytes);
}

bool kmqtt_charge_node(struct kmqtt_broker *broker, size_t bytes,
		       enum kmqtt_share share, bool charge)
{
	if (charge)
		return kmqtt_charge_share(broker, bytes, share);
	kmqtt_uncharge(broker, bytes);
	return true;
}

struct kmqtt_broker *kmqtt_broker_of(struct net *net)
{
	return net_generic(net, kmqtt_net_id);
}

static void kmqtt_broker_close_listeners(struct kmqtt_broker *broker,
					 bool abort)
{
	struct kmqtt_listener *listener, *next;

	mutex_lock(&broker->lock);
	WRITE_ONCE(broker->stopping, true);
	list_for_each_entry_safe(listener, next, &broker->listeners, list)
		kmqtt_listener_remove(listener, abort);
	mutex_unlock(&broker->lock);
}

void kmqtt_broker_stop(struct kmqtt_broker *broker, bool last)
{
	kmqtt_broker_close_listeners(broker, last);
	kmqtt_authority_flush(broker);
	kmqtt_conn_close_all(broker, NULL, MQTT_RC_SERVER_SHUTTING_DOWN, last);
	/* Bounded by the lingering time of the slowest peer. */
	wait_event(broker->idle, !atomic_read(&broker->nr_conns));
	/* Who has counted the last one may still be about to wake us. */
	flush_workqueue(kmqtt_wq);
	kmqtt_session_drop_all(broker);
	/* A session's timer may have taken its will before, and be at it. */
	flush_workqueue(kmqtt_ctl_wq);
	kmqtt_retain_clear_all(broker);
	kmqtt_acl_reset(broker);
	if (last)
		return;
	/* What is freed after a grace period is counted until then. */
	srcu_barrier(kmqtt_srcu);
	rcu_barrier();
	kmqtt_config_reset(broker);
	mutex_lock(&broker->lock);
	WRITE_ONCE(broker->stopping, false);
	mutex_unlock(&broker->lock);
}

static int __net_init kmqtt_broker_create(struct net *net)
{
	struct kmqtt_broker *broker = net_generic(net, kmqtt_net_id);
	int ret;

	broker->net = net;
	mutex_init(&broker->stop_lock);
	mutex_init(&broker->lock);
	mutex_init(&broker->retain_lock);
	mutex_init(&broker->acl_lock);
	spin_lock_init(&broker->conn_lock);
	INIT_LIST_HEAD(&broker->listeners);
	INIT_LIST_HEAD(&broker->conns);
	INIT_LIST_HEAD(&broker->half_open);
	init_waitqueue_head(&broker->idle);
	kmqtt_config_reset(broker);

	broker->stats = alloc_percpu(struct kmqtt_stats);
	if (!broker->stats)
		return -ENOMEM;
	ret = percpu_counter_init(&broker->memory, 0, GFP_KERNEL);
	if (ret)
		goto err_stats;
	ret = kmqtt_session_table_init(broker);
	if (ret)
		goto err_memory;
	ret = kmqtt_subscribe_init(broker);
	if (ret)
		goto err_sessions;
	ret = kmqtt_retain_init(broker);
	if (ret)
		goto err_subscriptions;
	ret = kmqtt_authority_init(broker);
	if (ret)
		goto err_retained;
	return 0;

err_retained:
	kmqtt_retain_uninit(broker);
err_subscriptions:
	kmqtt_subscribe_uninit(broker);
err_sessions:
	kmqtt_session_table_uninit(broker);
err_memory:
	percpu_counter_destroy(&broker->memory);
err_stats:
	free_percpu(broker->stats);
	return ret;
}

/*
 * After this hook no work, no timer and no socket of the namespace is left.
 * What SRCU and RCU still hold back are plain frees, but they uncharge our
 * memory sum, so they are waited for before it goes.
 */
static void __net_exit kmqtt_broker_destroy(struct net *net)
{
	struct kmqtt_broker *broker = net_generic(net, kmqtt_net_id);

	kmqtt_broker_stop(broker, true);
	kmqtt_authority_uninit(broker);
	kmqtt_retain_uninit(broker);
	kmqtt_subscribe_uninit(broker);
	/* A work may put a session, a SRCU callback too, and that takes RCU. */
	flush_workqueue(kmqtt_ctl_wq);
	srcu_barrier(kmqtt_srcu);
	rcu_barrier();
	kmqtt_session_table_uninit(broker);
	percpu_counter_destroy(&broker->memory);
	free_percpu(broker->stats);
}

static struct pernet_operations kmqtt_net_ops = {
	.init = kmqtt_broker_create,
	.exit = kmqtt_broker_destroy,
	.id = &kmqtt_net_id,
	.size = sizeof(struct kmqtt_broker),
};

int kmqtt_broker_init(void)
{
	int ret;

	ret = init_srcu_struct(kmqtt_srcu);
	if (ret)
		return ret;
	ret = percpu_counter_init(&kmqtt_netns_memory, 0, GFP_KERNEL);
	if (ret)
		goto err_srcu;
	ret = -ENOMEM;
	kmqtt_wq = alloc_workqueue("kmqtt", WQ_MEM_RECLAIM |
				   KMQTT_COMPAT_WQ_PERCPU, 0);
	if (!kmqtt_wq)
		goto err_memory;
	kmqtt_ctl_wq = alloc_workqueue("kmqtt_ctl", WQ_UNBOUND | WQ_MEM_RECLAIM,
				       0);
	if (!kmqtt_ctl_wq)
		goto err_wq;
	ret = register_pernet_subsys(&kmqtt_net_ops);
	if (ret)
		goto err_ctl_wq;
	return 0;

err_ctl_wq:
	destroy_workqueue(kmqtt_ctl_wq);
err_wq:
	destroy_workqueue(kmqtt_wq);
err_memory:
	percpu_counter_destroy(&kmqtt_netns_memory);
err_srcu:
	cleanup_srcu_struct(kmqtt_srcu);
	return ret;
}

void kmqtt_broker_uninit(void)
{
	unregister_pernet_subsys(&kmqtt_net_ops);
	destroy_workqueue(kmqtt_ctl_wq);
	destroy_workqueue(kmqtt_wq);
	srcu_barrier(kmqtt_srcu);
	rcu_barrier();
	percpu_counter_destroy(&kmqtt_netns_memory);
	cleanup_srcu_struct(kmqtt_srcu);
}
