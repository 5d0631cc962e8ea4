// SPDX-License-Identifier: GPL-2.0
/* The table of sessions, and how connections come to own and lose them. */
#include "session.h"

#include <linux/jhash.h>
#include <linux/slab.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "conn.h"
#include "control.h"
#include "core/rhash.h"
#include "datapath.h"
#include "released.h"

static u32 kmqtt_session_hash_key(const void *data, u32 len, u32 seed)
{
	const struct mqtt_str *key = data;

	return jhash(key->data, key->len, seed);
}

static u32 kmqtt_session_hash_obj(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_session *session = data;

	return kmqtt_session_hash_key(&session->client_id, len, seed);
}

static int kmqtt_session_compare(struct rhashtable_compare_arg *arg,
				 const void *obj)
{
	const struct kmqtt_session *session = obj;
	const struct mqtt_str *key = arg->key;

	return session->client_id.len != key->len ||
	       memcmp(session->client_id.data, key->data, key->len);
}

static const struct rhashtable_params kmqtt_session_params = {
	.head_offset = offsetof(struct kmqtt_session, hash),
	.key_len = sizeof(struct mqtt_str),
	.hashfn = kmqtt_session_hash_key,
	.obj_hashfn = kmqtt_session_hash_obj,
	.obj_cmpfn = kmqtt_session_compare,
	.automatic_shrinking = true,
};

static void kmqtt_session_free_username(struct kmqtt_broker *broker,
					char *username)
{
	if (!username)
		return;
	kmqtt_uncharge(broker, strlen(username) + 1);
	kfree(username);
}

static void kmqtt_session_free(struct rcu_head *rcu)
{
	struct kmqtt_session *session = container_of(rcu, struct kmqtt_session,
						     rcu);

	kmqtt_session_free_username(session->broker,
				    rcu_dereference_raw(session->username));
	kmqtt_uncharge(session->broker, session->charged);
	kvfree(session);
}

static void kmqtt_session_release(struct kref *ref)
{
	struct kmqtt_session *session = container_of(ref, struct kmqtt_session,
						     ref);

	/* Not in the callback: it may be much. */
	kmqtt_packet_ids_end(session);
	kmqtt_rel_end(session);
	/* kmqtt_session_find() may still look at the reference count. */
	call_rcu(&session->rcu, kmqtt_session_free);
}

void kmqtt_session_put(struct kmqtt_session *session)
{
	kref_put(&session->ref, kmqtt_session_release);
}

struct kmqtt_session *kmqtt_session_find(struct kmqtt_broker *broker,
					 const struct mqtt_str *client_id)
{
	struct kmqtt_session *session;

	rcu_read_lock();
	session = rhashtable_lookup(&broker->sessions, client_id,
				    kmqtt_session_params);
	if (session && !kref_get_unless_zero(&session->ref))
		session = NULL;
	rcu_read_unlock();
	return session;
}

/* The timer holds a reference while it is armed. */
static void kmqtt_session_set_timer(struct kmqtt_session *session,
				    unsigned long delay)
{
	kref_get(&session->ref);
	if (mod_delayed_work(kmqtt_ctl_wq, &session->timer, delay))
		kmqtt_session_put(session);
}

/* Again, unless kmqtt_session_end() has come meanwhile. */
static void kmqtt_session_rearm(struct kmqtt_session *session,
				unsigned long delay)
{
	spin_lock_bh(&session->lock);
	if (!session->dead)
		kmqtt_session_set_timer(session, delay);
	spin_unlock_bh(&session->lock);
}

static void kmqtt_session_stop_timer(struct kmqtt_session *session)
{
	/* Most have never had one: to look is less than to try. */
	if (delayed_work_pending(&session->timer) &&
	    cancel_delayed_work(&session->timer))
		kmqtt_session_put(session);
}

/*
 * End a session: nobody finds it, nothing is queued to it any more.
 * broker->lock held. Return: its will, if one waits; the caller decides.
 */
static struct kmqtt_will *kmqtt_session_end(struct kmqtt_session *session)
{
	struct kmqtt_broker *broker = session->broker;
	struct kmqtt_will *will;
	LIST_HEAD(replays);

	lockdep_assert_held(&broker->lock);
	if (session->dead)
		return NULL;
	rhashtable_remove_fast(&broker->sessions, &session->hash,
			       kmqtt_session_params);
	WRITE_ONCE(broker->nr_sessions, broker->nr_sessions - 1);
	kmqtt_unsubscribe_all(session);

	spin_lock_bh(&session->lock);
	session->dead = true;
	will = session->will;
	session->will = NULL;
	session->will_due = false;
	session->expiring = false;
	/* They may be of a million messages. */
	list_splice_init(&session->replays, &replays);
	session->nr_replay = 0;
	spin_unlock_bh(&session->lock);
	while (kmqtt_deliver_purge(session))
		cond_resched();
	kmqtt_deliver_free_replays(session, &replays);

	kmqtt_session_stop_timer(session);
	kmqtt_session_put(session);
	return will;
}

static void kmqtt_session_publish_will(struct kmqtt_session *session,
				       struct kmqtt_will *will)
{
	if (will)
		kmqtt_will_publish(session, will);
}

/* What is due now? @left: jiffies until the next look, if anything runs. */
static struct kmqtt_will *kmqtt_session_look(struct kmqtt_session *session,
					     bool *ended, unsigned long *left)
{
	unsigned long now = jiffies;
	struct kmqtt_will *will = NULL;

	*ended = false;
	*left = MAX_JIFFY_OFFSET;
	spin_lock_bh(&session->lock);
	if (session->will_due) {
		if (time_after_eq(now, session->will_at)) {
			will = session->will;
			session->will = NULL;
			session->will_due = false;
		} else {
			*left = session->will_at - now;
		}
	}
	if (session->expiring) {
		if (time_after_eq(now, session->expires_at))
			*ended = true;
		else
			*left = min(*left, session->expires_at - now);
	}
	spin_unlock_bh(&session->lock);
	return will;
}

static void kmqtt_session_timer(struct work_struct *work)
{
	struct kmqtt_session *session =
		container_of(to_delayed_work(work), struct kmqtt_session,
			     timer);
	struct kmqtt_broker *broker = session->broker;
	struct kmqtt_will *will;
	unsigned long left;
	bool ended;

	will = kmqtt_session_look(session, &ended, &left);
	kmqtt_session_publish_will(session, will);
	will = NULL;
	if (ended) {
		mutex_lock(&broker->lock);
		/* An attach, and a new end, may have come first. */
		if (session->expiring &&
		    time_after_eq(jiffies, session->expires_at)) {
			kmqtt_stat_inc(broker, KMQTT_STAT_SESSIONS_EXPIRED);
			kmqtt_event_session(session,
					    KMQTT_EVENT_SESSION_EXPIRED,
					    NULL, 0);
			will = kmqtt_session_end(session);
		}
		mutex_unlock(&broker->lock);
		kmqtt_session_publish_will(session, will);
	} else if (left != MAX_JIFFY_OFFSET) {
		kmqtt_session_rearm(session, left);
	}
	kmqtt_session_put(session);
}

static struct kmqtt_session *
kmqtt_session_create(struct kmqtt_broker *broker,
		     const struct mqtt_str *client_id, const char *username,
		     bool stays)
{
	size_t size = sizeof(struct kmqtt_session) + client_id->len;
	size_t whole = size + (username ? strlen(username) : 0);
	struct kmqtt_session *session;

	lockdep_assert_held(&broker->lock);
	if (broker->nr_sessions >= kmqtt_cfg(broker, KMQTT_SET_SESSION_MAX))
		return ERR_PTR(-ENOSPC);
	if (!kmqtt_charge_share(broker, size, stays ? KMQTT_HOLD :
						      kmqtt_share_of(whole)))
		return ERR_PTR(-ENOMEM);
	session = kvzalloc(size, GFP_KERNEL | __GFP_NOWARN);
	if (!session)
		goto err_charge;
	kref_init(&session->ref);
	session->broker = broker;
	session->charged = size;
	memcpy(session->id_buf, client_id->data, client_id->len);
	session->client_id.data = session->id_buf;
	session->client_id.len = client_id->len;
	spin_lock_init(&session->lock);
	INIT_LIST_HEAD(&session->ready);
	INIT_LIST_HEAD(&session->pending);
	INIT_LIST_HEAD(&session->inflight);
	INIT_LIST_HEAD(&session->replays);
	INIT_LIST_HEAD(&session->subs);
	kmqtt_packet_ids_init(session);
	xa_init_flags(&session->rel_more, XA_FLAGS_LOCK_BH);
	INIT_DELAYED_WORK(&session->timer, kmqtt_session_timer);
	if (mqtt_rhash_insert(&broker->sessions, &session->hash,
			      kmqtt_session_params))
		goto err_session;
	WRITE_ONCE(broker->nr_sessions, broker->nr_sessions + 1);
	return session;

err_session:
	kvfree(session);
err_charge:
	kmqtt_uncharge(broker, size);
	return ERR_PTR(-ENOMEM);
}

/*
 * Somebody owns the session: he has to go, and we wait behind him. A connection
 * that waited before us loses its place. session->lock held.
 */
static void kmqtt_session_queue_up(struct kmqtt_session *session,
				   struct kmqtt_conn *conn,
				   struct kmqtt_conn **displaced)
{
	lockdep_assert_held(&session->lock);
	*displaced = NULL;
	if (session->waiter == conn)
		return;
	*displaced = session->waiter;
	session->waiter = kmqtt_conn_get(conn);
}

static void kmqtt_session_displace(struct kmqtt_conn *conn)
{
	if (!conn)
		return;
	kmqtt_conn_close(conn, MQTT_RC_SESSION_TAKEN_OVER);
	kmqtt_conn_put(conn);
}

/* Return: true if the session has an owner, who is to go now. */
static bool kmqtt_session_owned(struct kmqtt_session *session,
				struct kmqtt_conn *conn)
{
	struct kmqtt_conn *owner, *displaced = NULL;
	bool late;

	spin_lock_bh(&session->lock);
	owner = session->conn;
	/* We waited, and meanwhile a later CONNECT found it free. */
	late = owner && owner->attach_nr > conn->attach_nr;
	if (owner && !late) {
		kmqtt_conn_get(owner);
		kmqtt_session_queue_up(session, conn, &displaced);
	}
	spin_unlock_bh(&session->lock);
	if (!owner)
		return false;
	if (late) {
		kmqtt_conn_close(conn, MQTT_RC_SESSION_TAKEN_OVER);
		return true;
	}
	kmqtt_conn_yield(owner);
	kmqtt_conn_put(owner);
	kmqtt_session_displace(displaced);
	return true;
}

/* The session it waits for is free, or gone. */
static void kmqtt_session_call(struct kmqtt_conn *waiter)
{
	set_bit(KMQTT_CONN_NEXT, &waiter->flags);
	kmqtt_conn_queue_io(waiter);
	kmqtt_conn_put(waiter);
}

/* Return: the old name, for kmqtt_session_free_username() after kmqtt_srcu. */
static char *kmqtt_session_set_username(struct kmqtt_session *session,
					char *username)
{
	char *old;

	lockdep_assert_held(&session->broker->lock);
	old = rcu_dereference_protected(session->username, true);
	if (old && username && !strcmp(old, username))
		return username;
	rcu_assign_pointer(session->username, username);
	return old;
}

/* The session is ours to take. broker->lock held. */
static void kmqtt_session_own(struct kmqtt_session *session,
			      struct kmqtt_attach *attach,
			      struct kmqtt_will **old_will,
			      struct kmqtt_conn **displaced)
{
	struct kmqtt_conn *conn = attach->conn;

	spin_lock_bh(&session->lock);
	*displaced = session->waiter;
	session->waiter = NULL;
	session->conn = kmqtt_conn_get(conn);
	session->version = attach->version;
	session->window = attach->window;
	session->max_packet = attach->max_packet;
	session->expiry = attach->expiry;
	*old_will = session->will;
	session->will = attach->will;
	session->will_due = false;
	session->expiring = false;
	kmqtt_deliver_resume(session);
	spin_unlock_bh(&session->lock);
	attach->will = NULL;
	conn->session = kmqtt_session_get(session);
}

static int kmqtt_session_attach_locked(struct kmqtt_attach *attach,
				       char **username,
				       struct kmqtt_session **ended,
				       struct kmqtt_will **ended_will,
				       struct kmqtt_will **old_will,
				       struct kmqtt_conn **displaced)
{
	struct kmqtt_broker *broker = attach->conn->broker;
	struct kmqtt_session *session;

	if (broker->stopping)
		return -ESHUTDOWN;
	if (!attach->conn->attach_nr)
		attach->conn->attach_nr = ++broker->attach_nr;
	session = kmqtt_session_find(broker, &attach->client_id);
	if (session && kmqtt_session_owned(session, attach->conn)) {
		kmqtt_session_put(session);
		return -EINPROGRESS;
	}
	attach->present = session && !attach->clean_start;
	if (session && attach->clean_start) {
		*ended_will = kmqtt_session_end(session);
		*ended = session;
		session = NULL;
	}
	if (!session) {
		session = kmqtt_session_create(broker, &attach->client_id,
					       *username, attach->expiry);
		if (IS_ERR(session))
			return PTR_ERR(session);
		kmqtt_session_get(session);
	}
	kmqtt_session_stop_timer(session);
	*username = kmqtt_session_set_username(session, *username);
	kmqtt_session_own(session, attach, old_will, displaced);
	kmqtt_session_put(session);
	return 0;
}

static char *kmqtt_session_copy_username(struct kmqtt_broker *broker,
					 const char *username)
{
	size_t size = strlen(username) + 1;
	char *copy;

	/* It stays as long as the session does. */
	if (!kmqtt_charge_share(broker, size, kmqtt_share_of(size)))
		return NULL;
	copy = kstrdup(username, GFP_KERNEL | __GFP_NOWARN);
	if (!copy)
		kmqtt_uncharge(broker, size);
	return copy;
}

int kmqtt_session_attach(struct kmqtt_attach *attach)
{
	struct kmqtt_broker *broker = attach->conn->broker;
	struct kmqtt_session *ended = NULL;
	struct kmqtt_will *ended_will = NULL, *old_will = NULL;
	struct kmqtt_conn *displaced = NULL;
	char *username = NULL, *ours;
	int ret;

	if (attach->username) {
		username = kmqtt_session_copy_username(broker,
						       attach->username);
		if (!username)
			return -ENOMEM;
	}
	ours = username;
	mutex_lock(&broker->lock);
	ret = kmqtt_session_attach_locked(attach, &username, &ended, &ended_will,
					  &old_will, &displaced);
	mutex_unlock(&broker->lock);
	/* Ours was not needed, or it is one that readers may still see. */
	if (username && username != ours)
		synchronize_srcu(kmqtt_srcu);
	kmqtt_session_free_username(broker, username);
	if (displaced == attach->conn) {
		kmqtt_conn_put(displaced);
		displaced = NULL;
	}
	kmqtt_session_displace(displaced);
	/* The new connection came before the will was due [MQTT-3.1.3-9]. */
	kmqtt_will_free(old_will);
	if (ended) {
		/* A clean start ends the session, and so its will is due. */
		kmqtt_session_publish_will(ended, ended_will);
		kmqtt_session_put(ended);
	}
	return ret;
}

/*
 * The will of a connection that is gone: returned if it is due at once.
 * session->lock held.
 */
static struct kmqtt_will *kmqtt_session_arm_will(struct kmqtt_session *session,
						 bool send_will)
{
	struct kmqtt_will *will = session->will;
	u32 delay;

	if (!will)
		return NULL;
	delay = min(will->delay, session->expiry);
	if (send_will && delay) {
		session->will_due = true;
		session->will_at = jiffies + min_t(u64, (u64)delay * HZ,
						   MAX_JIFFY_OFFSET);
		return NULL;
	}
	session->will = NULL;
	return will;
}

static void kmqtt_session_arm_expiry(struct kmqtt_session *session)
{
	if (session->expiry == MQTT_EXPIRY_NEVER)
		return;
	session->expiring = true;
	session->expires_at = jiffies + min_t(u64, (u64)session->expiry * HZ,
					      MAX_JIFFY_OFFSET);
}

void kmqtt_session_detach(struct kmqtt_conn *conn, bool send_will)
{
	struct kmqtt_session *session = conn->session;
	struct kmqtt_broker *broker = session->broker;
	struct kmqtt_conn *waiter;
	struct kmqtt_will *will;
	bool ends;

	mutex_lock(&broker->lock);
	spin_lock_bh(&session->lock);
	if (session->conn != conn) {
		spin_unlock_bh(&session->lock);
		mutex_unlock(&broker->lock);
		return;
	}
	session->conn = NULL;
	waiter = session->waiter;
	session->waiter = NULL;
	will = kmqtt_session_arm_will(session, send_will);
	ends = !session->expiry;
	if (!ends) {
		kmqtt_session_arm_expiry(session);
		kmqtt_packet_ids_trim(session);
	}
	spin_unlock_bh(&session->lock);
	kmqtt_deliver_offline(session);
	if (ends)
		kmqtt_session_end(session);
	else
		kmqtt_session_set_timer(session, 0);
	mutex_unlock(&broker->lock);

	if (will && send_will)
		kmqtt_will_publish(session, will);
	else
		kmqtt_will_free(will);
	if (waiter)
		kmqtt_session_call(waiter);
	kmqtt_conn_put(conn);
}

/*
 * The client identifier of a connection that waits is known to connect.c
 * only, but its session is found by looking who waits there: at most one.
 */
void kmqtt_session_forget_waiter(struct kmqtt_conn *conn)
{
	struct kmqtt_session *session;
	struct mqtt_str client_id;
	bool ours = false;

	if (!kmqtt_connect_client_id(conn, &client_id))
		return;
	session = kmqtt_session_find(conn->broker, &client_id);
	if (!session)
		return;
	spin_lock_bh(&session->lock);
	if (session->waiter == conn) {
		session->waiter = NULL;
		ours = true;
	}
	spin_unlock_bh(&session->lock);
	kmqtt_session_put(session);
	if (ours)
		kmqtt_conn_put(conn);
}

void kmqtt_session_drop(struct kmqtt_session *session, u8 reason)
{
	struct kmqtt_broker *broker = session->broker;
	struct kmqtt_conn *conn, *waiter;

	mutex_lock(&broker->lock);
	kmqtt_will_free(kmqtt_session_end(session));
	spin_lock_bh(&session->lock);
	conn = session->conn;
	session->conn = NULL;
	waiter = session->waiter;
	session->waiter = NULL;
	spin_unlock_bh(&session->lock);
	mutex_unlock(&broker->lock);
	if (conn) {
		kmqtt_conn_close(conn, reason);
		kmqtt_conn_put(conn);
	}
	if (waiter)
		kmqtt_session_call(waiter);
}

void kmqtt_session_drop_all(struct kmqtt_broker *broker)
{
	struct rhashtable_iter iter;
	struct kmqtt_session *session;
	bool again;

	do {
		again = false;
		rhashtable_walk_enter(&broker->sessions, &iter);
		rhashtable_walk_start(&iter);
		while ((session = rhashtable_walk_next(&iter))) {
			if (IS_ERR(session) ||
			    !kref_get_unless_zero(&session->ref))
				continue;
			rhashtable_walk_stop(&iter);
			kmqtt_session_drop(session,
					   MQTT_RC_SERVER_SHUTTING_DOWN);
			kmqtt_session_put(session);
			cond_resched();
			again = true;
			rhashtable_walk_start(&iter);
		}
		rhashtable_walk_stop(&iter);
		rhashtable_walk_exit(&iter);
	} while (again);
}

int kmqtt_session_table_init(struct kmqtt_broker *broker)
{
	return rhashtable_init(&broker->sessions, &kmqtt_session_params);
}

void kmqtt_session_table_uninit(struct kmqtt_broker *broker)
{
	rhashtable_destroy(&broker->sessions);
}
