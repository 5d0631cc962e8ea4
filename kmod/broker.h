/* SPDX-License-Identifier: GPL-2.0 */
/* The broker of one network namespace: owns everything below it. */
#ifndef KMQTT_BROKER_H
#define KMQTT_BROKER_H

#include <linux/mutex.h>
#include <linux/percpu_counter.h>
#include <linux/rhashtable.h>
#include <linux/srcu.h>
#include <linux/wait.h>
#include "config.h"
#include "core/tree.h"
#include "stats.h"

struct kmqtt_acl;
struct kmqtt_authority;
struct net;

/**
 * struct kmqtt_broker - one per network namespace, made and ended with it
 * @net: its namespace; not referenced, the pernet hooks bound our life
 * @stopping: nothing new is let in; set under @lock, read without
 * @stop_lock: one BROKER_STOP at a time: each sets and clears @stopping; taken
 *	before @lock
 * @config: settings by enum kmqtt_setting, READ_ONCE/WRITE_ONCE
 * @stats: per-CPU counters
 * @memory: bytes held by messages, queues, sessions and receive buffers
 *
 * @lock: writers of @listeners, @sessions, @subs, @sub_index, @groups; never
 *	held across a socket call that can wait for the peer
 * @listeners: struct kmqtt_listener
 * @listener_id: last one given out
 * @sessions: by client identifier; looked up under RCU
 * @nr_sessions: under @lock
 * @subs: subscriptions by topic filter; read under kmqtt_srcu
 * @sub_index: struct kmqtt_sub by (session, node, share group)
 * @groups: struct kmqtt_group by (node, share name)
 * @nr_subs: under @lock
 * @sub_turn: raised before and after one is linked and after one is unlinked,
 *	under @lock; read without
 *
 * @retain_lock: writers of @retained; taken after @lock if both
 * @retained: retained messages by topic; read under kmqtt_srcu
 * @nr_retained: under @retain_lock
 * @retained_bytes: under @retain_lock
 * @retain_sweep: removes expired retained messages once a minute
 *
 * @conn_lock: guards @conns, @half_open; BH-safe is not needed, process context
 *	only
 * @conns: struct kmqtt_conn that have a socket
 * @half_open: of these, without a CONNECT accepted, oldest first
 * @nr_conns: connections not yet freed; @idle is woken at 0
 * @nr_half_open: how many are in @half_open
 * @idle: kmqtt_broker_stop() waits here
 *
 * @acl: rules in force, NULL: no access control; RCU, written under @acl_lock
 * @acl_lock: guards @acl and @acl_staged
 * @acl_staged: collected by ACL_SET, not in force
 * @authority: state of authority.c
 */
struct kmqtt_broker {
	struct net *net;
	bool stopping;
	struct mutex stop_lock;
	u64 config[KMQTT_NR_SETTINGS];
	struct kmqtt_stats __percpu *stats;
	struct percpu_counter memory;

	struct mutex lock;
	struct list_head listeners;
	u32 listener_id;
	struct rhashtable sessions;
	u32 nr_sessions;
	u64 attach_nr;
	struct mqtt_tree subs;
	struct rhashtable sub_index;
	struct rhashtable groups;
	u32 nr_subs;
	atomic64_t sub_turn;

	struct mutex retain_lock;
	struct mqtt_tree retained;
	u32 nr_retained;
	u64 retained_bytes;
	struct delayed_work retain_sweep;

	spinlock_t conn_lock;
	struct list_head conns;
	struct list_head half_open;
	atomic_t nr_conns;
	atomic_t nr_half_open;
	wait_queue_head_t idle;

	struct kmqtt_acl __rcu *acl;
	struct mutex acl_lock;
	struct kmqtt_acl *acl_staged;
	struct kmqtt_authority *authority;
};

/*
 * kmqtt_srcu - readers of the trees, of subscriptions and of what they point
 * to. Sleepable, since a fan-out to ten thousand subscribers must be able to
 * reschedule in the middle of a walk.
 */
extern struct srcu_struct *const kmqtt_srcu;

/*
 * kmqtt_wq - accepts, receives, sends, and mostly ends connections; per CPU,
 * normal priority: a publisher on the same CPU goes on until it blocks, so a
 * burst is gathered.
 * kmqtt_ctl_wq - timers, releases from a softirq, everything that may wait.
 */
extern struct workqueue_struct *kmqtt_wq;
extern struct workqueue_struct *kmqtt_ctl_wq;

static inline u64 kmqtt_cfg(const struct kmqtt_broker *broker,
			    enum kmqtt_setting setting)
{
	return READ_ONCE(broker->config[setting]);
}

/* Are there rules about who may what? They may come at any time. Any context. */
static inline bool kmqtt_acl_in_force(const struct kmqtt_broker *broker)
{
	return rcu_access_pointer(broker->acl);
}

/**
 * enum kmqtt_share - how full memory_max may get with things of a kind (16ths)
 * @KMQTT_STORE: what is kept for others: retained messages, messages for who
 *	does not take them
 * @KMQTT_HOLD: what a client may make large or leave: packets that are not
 *	whole, wills, sessions that stay, subscriptions
 * @KMQTT_CONNECT: connections and sessions that end with them
 * @KMQTT_PASS: what passes through
 *
 * So who fills memory with what stays does not keep others from being served.
 */
enum kmqtt_share {
	KMQTT_STORE = 12,
	KMQTT_HOLD = 14,
	KMQTT_CONNECT = 15,
	KMQTT_PASS = 16,
};

/* Is there room for @bytes more of a kind? Approximate. Any context. */
bool kmqtt_room(struct kmqtt_broker *broker, size_t bytes,
		enum kmqtt_share share);

/*
 * Of what comes in with a client, so much (bytes) is no reason to keep it out
 * while there is room for connections.
 */
#define KMQTT_SMALL		2048

static inline enum kmqtt_share kmqtt_share_of(size_t bytes)
{
	return bytes <= KMQTT_SMALL ? KMQTT_CONNECT : KMQTT_HOLD;
}

/* kmqtt_charge() if there is room for more of a kind. */
bool kmqtt_charge_share(struct kmqtt_broker *broker, size_t bytes,
			enum kmqtt_share share);

/**
 * kmqtt_charge() - account memory against the setting memory_max
 * @broker: whose
 * @bytes: how many
 *
 * The sum is approximate by some 32 KiB per CPU: no CPU waits for another.
 * Any context. Return: false (and nothing charged) when over the limit.
 */
bool kmqtt_charge(struct kmqtt_broker *broker, size_t bytes);
/* The same where refusing is no answer: small, or about to be freed. */
void kmqtt_charge_always(struct kmqtt_broker *broker, size_t bytes);
void kmqtt_uncharge(struct kmqtt_broker *broker, size_t bytes);
/* For struct mqtt_tree: by @share, or kmqtt_uncharge() unless @charge. */
bool kmqtt_charge_node(struct kmqtt_broker *broker, size_t bytes,
		       enum kmqtt_share share, bool charge);

/* The broker of a namespace; valid as long as the namespace is. */
struct kmqtt_broker *kmqtt_broker_of(struct net *net);

/**
 * kmqtt_broker_stop() - end all service: BROKER_STOP, namespace exit, unload
 * @broker: which
 * @last: the namespace goes away: sockets are aborted, nothing may linger
 *
 * Returns when no connection, session, subscription or retained message is
 * left; afterwards the broker can serve again unless @last.
 * Context: process, may wait some seconds.
 */
void kmqtt_broker_stop(struct kmqtt_broker *broker, bool last);

int kmqtt_broker_init(void);
void kmqtt_broker_uninit(void);

#endif
