// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink dumps. Each goes through its table once, whatever its length, and
 * goes on where it stopped when the next message is read:
 *
 *   listeners              by identifier, under broker->lock
 *   sessions and clients   by a walker of the session table
 *   settings, statistics   by number
 *
 * An object that comes or goes during a dump may be in it or not. If a table
 * was resized meanwhile, objects may also be missing or be there twice: the
 * dump is then marked (NLM_F_DUMP_INTR).
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "broker.h"
#include "conn.h"
#include "listener.h"
#include "netlink.h"
#include "session.h"
#include "transport.h"

struct kmqtt_broker *kmqtt_nl_cb_broker(struct netlink_callback *cb)
{
	return kmqtt_broker_of(sock_net(cb->skb->sk));
}

void *kmqtt_nl_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &kmqtt_genl_family,
				NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

int kmqtt_nl_dump_full(const struct sk_buff *skb)
{
	return skb->len ?: -EMSGSIZE;
}

/* Position in a table that is read by number. */
struct kmqtt_nl_table {
	u32 next;
};

static struct kmqtt_nl_table *kmqtt_nl_table(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct kmqtt_nl_table) > sizeof(cb->ctx));
	return (struct kmqtt_nl_table *)cb->ctx;
}

int kmqtt_nl_table_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = KMQTT_NL_DUMP_SIZE;
	return 0;
}

static int kmqtt_nl_fill_listener(struct sk_buff *skb,
				  struct netlink_callback *cb,
				  struct kmqtt_listener *listener)
{
	void *hdr = kmqtt_nl_dump_put(skb, cb, KMQTT_CMD_LISTENER_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, KMQTT_A_LISTENER_ID, listener->id) ||
	    kmqtt_nl_put_addr(skb, (const struct sockaddr *)&listener->addr) ||
	    nla_put_u8(skb, KMQTT_A_AUTH_MODE,
		       READ_ONCE(listener->auth_mode)) ||
	    nla_put_u32(skb, KMQTT_A_MAX_CONNECTIONS,
			READ_ONCE(listener->max_connections)) ||
	    nla_put_u32(skb, KMQTT_A_CONNECTIONS,
			atomic_read(&listener->nr_conns))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int kmqtt_nl_listener_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kmqtt_broker *broker = kmqtt_nl_cb_broker(cb);
	struct kmqtt_nl_table *table = kmqtt_nl_table(cb);
	struct kmqtt_listener *listener;
	int ret = 0;

	/* new ones are added at the end, with the next identifier */
	mutex_lock(&broker->lock);
	list_for_each_entry(listener, &broker->listeners, list) {
		if (listener->id < table->next)
			continue;
		if (kmqtt_nl_fill_listener(skb, cb, listener)) {
			ret = kmqtt_nl_dump_full(skb);
			break;
		}
		table->next = listener->id + 1;
	}
	mutex_unlock(&broker->lock);
	return ret;
}

static int kmqtt_nl_fill_setting(struct sk_buff *skb,
				 struct netlink_callback *cb,
				 struct kmqtt_broker *broker,
				 enum kmqtt_setting setting)
{
	const struct kmqtt_setting_info *info = &kmqtt_settings[setting];
	void *hdr = kmqtt_nl_dump_put(skb, cb, KMQTT_CMD_CONFIG_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_string(skb, KMQTT_A_NAME, info->name) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_VALUE, kmqtt_cfg(broker, setting)) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_DEFAULT,
			     kmqtt_config_default(setting)) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_MIN, info->min) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_MAX, info->max) ||
	    nla_put_string(skb, KMQTT_A_HELP, info->help)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int kmqtt_nl_config_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kmqtt_broker *broker = kmqtt_nl_cb_broker(cb);
	struct kmqtt_nl_table *table = kmqtt_nl_table(cb);

	for (; table->next < KMQTT_NR_SETTINGS; table->next++)
		if (kmqtt_nl_fill_setting(skb, cb, broker, table->next))
			return kmqtt_nl_dump_full(skb);
	return 0;
}

static int kmqtt_nl_fill_figure(struct sk_buff *skb,
				struct netlink_callback *cb,
				const struct kmqtt_stats_row *row)
{
	void *hdr = kmqtt_nl_dump_put(skb, cb, KMQTT_CMD_STATS_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_string(skb, KMQTT_A_NAME, row->name) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_VALUE, row->value) ||
	    nla_put_string(skb, KMQTT_A_HELP, row->help)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int kmqtt_nl_stats_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct kmqtt_broker *broker = kmqtt_nl_cb_broker(cb);
	struct kmqtt_nl_table *table = kmqtt_nl_table(cb);
	struct kmqtt_stats_row row;

	for (; kmqtt_stats_row(broker, table->next, &row); table->next++)
		if (kmqtt_nl_fill_figure(skb, cb, &row))
			return kmqtt_nl_dump_full(skb);
	return 0;
}

static struct kmqtt_nl_walk *kmqtt_nl_walk(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct kmqtt_nl_walk) > sizeof(cb->ctx));
	return (struct kmqtt_nl_walk *)cb->ctx;
}

int kmqtt_nl_walk_start(struct netlink_callback *cb, struct rhashtable *table)
{
	struct rhashtable_iter *iter = kzalloc(sizeof(*iter), GFP_KERNEL);

	if (!iter)
		return -ENOMEM;
	rhashtable_walk_enter(table, iter);
	kmqtt_nl_walk(cb)->iter = iter;
	cb->min_dump_alloc = KMQTT_NL_DUMP_SIZE;
	cb->seq = 1;
	return 0;
}

void kmqtt_nl_walk_done(struct netlink_callback *cb)
{
	struct rhashtable_iter *iter = kmqtt_nl_walk(cb)->iter;

	if (!iter)
		return;
	rhashtable_walk_exit(iter);
	kfree(iter);
}

/* The object that stood last is looked at again first: it did not fit. */
int kmqtt_nl_walk_dump(struct sk_buff *skb, struct netlink_callback *cb,
		       kmqtt_nl_fill_t fill)
{
	struct rhashtable_iter *iter = kmqtt_nl_walk(cb)->iter;
	int ret = 0;
	void *obj;

	if (rhashtable_walk_start_check(iter))
		cb->seq++;
	for (obj = rhashtable_walk_peek(iter); obj;
	     obj = rhashtable_walk_next(iter)) {
		if (IS_ERR(obj)) {
			/* resized: it goes on in the new table */
			cb->seq++;
			continue;
		}
		if (fill(skb, cb, obj)) {
			ret = kmqtt_nl_dump_full(skb);
			break;
		}
	}
	rhashtable_walk_stop(iter);
	return ret;
}

static int kmqtt_nl_put_username(struct sk_buff *skb,
				 struct kmqtt_session *session)
{
	struct mqtt_str name;
	int idx, ret = 0;

	idx = srcu_read_lock(kmqtt_srcu);
	name.data = (const u8 *)srcu_dereference(session->username, kmqtt_srcu);
	if (name.data) {
		name.len = strlen((const char *)name.data);
		ret = kmqtt_nl_put_cut(skb, KMQTT_A_USERNAME, &name);
	}
	srcu_read_unlock(kmqtt_srcu, idx);
	return ret;
}

/* What SESSION_GET says of the state under session->lock. */
struct kmqtt_nl_session {
	bool dead;
	bool connected;
	u32 expiry;
	u32 inflight;
	u32 queued;
	u32 awaiting_rel;
	u64 queued_bytes;
	u64 dropped;
};

static void kmqtt_nl_read_session(struct kmqtt_session *session,
				  struct kmqtt_nl_session *state)
{
	spin_lock_bh(&session->lock);
	state->dead = session->dead;
	state->connected = session->conn;
	state->expiry = session->expiry;
	state->inflight = session->nr_inflight;
	state->queued = session->nr_queued;
	state->awaiting_rel = session->nr_rel;
	state->queued_bytes = session->queued_bytes;
	state->dropped = session->dropped;
	spin_unlock_bh(&session->lock);
}

static int kmqtt_nl_fill_session(struct sk_buff *skb,
				 struct netlink_callback *cb, void *obj)
{
	struct kmqtt_session *session = obj;
	struct kmqtt_nl_session state;
	void *hdr;

	kmqtt_nl_read_session(session, &state);
	if (state.dead)
		return 0;
	hdr = kmqtt_nl_dump_put(skb, cb, KMQTT_CMD_SESSION_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (kmqtt_nl_put_cut(skb, KMQTT_A_CLIENT_ID, &session->client_id) ||
	    kmqtt_nl_put_username(skb, session) ||
	    nla_put_u8(skb, KMQTT_A_CONNECTED, state.connected) ||
	    nla_put_u32(skb, KMQTT_A_EXPIRY, state.expiry) ||
	    nla_put_u32(skb, KMQTT_A_SUBSCRIPTIONS,
			READ_ONCE(session->nr_subs)) ||
	    nla_put_u32(skb, KMQTT_A_INFLIGHT, state.inflight) ||
	    nla_put_u32(skb, KMQTT_A_QUEUED, state.queued) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_QUEUED_BYTES, state.queued_bytes) ||
	    nla_put_u32(skb, KMQTT_A_AWAITING_REL, state.awaiting_rel) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_DROPPED, state.dropped)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static int kmqtt_nl_put_conn(struct sk_buff *skb, struct kmqtt_conn *conn)
{
	unsigned long age = jiffies - READ_ONCE(conn->connected_at);

	if (nla_put_u8(skb, KMQTT_A_VERSION, conn->version) ||
	    kmqtt_nl_put_addr(skb, kmqtt_transport_addr(conn)) ||
	    nla_put_u32(skb, KMQTT_A_LISTENER_ID, conn->listener->id) ||
	    nla_put_u16(skb, KMQTT_A_KEEP_ALIVE, conn->keep_alive) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_AGE, jiffies64_to_msecs(age)) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_PACKETS_IN,
			     READ_ONCE(conn->packets_in)) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_PACKETS_OUT,
			     READ_ONCE(conn->packets_out) +
			     READ_ONCE(conn->control_out)) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_BYTES_IN,
			     READ_ONCE(conn->bytes_in)) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_BYTES_OUT,
			     READ_ONCE(conn->bytes_out)))
		return -EMSGSIZE;
	return 0;
}

/* Connections that are up are found by their sessions. */
static int kmqtt_nl_fill_client(struct sk_buff *skb,
				struct netlink_callback *cb, void *obj)
{
	struct kmqtt_session *session = obj;
	struct kmqtt_conn *conn = NULL;
	void *hdr;
	int ret = -EMSGSIZE;

	spin_lock_bh(&session->lock);
	if (session->conn && !session->dead)
		conn = kmqtt_conn_get(session->conn);
	spin_unlock_bh(&session->lock);
	if (!conn)
		return 0;
	hdr = kmqtt_nl_dump_put(skb, cb, KMQTT_CMD_CLIENT_GET);
	if (!hdr)
		goto put_conn;
	if (kmqtt_nl_put_cut(skb, KMQTT_A_CLIENT_ID, &session->client_id) ||
	    kmqtt_nl_put_username(skb, session) ||
	    kmqtt_nl_put_conn(skb, conn) ||
	    kmqtt_nl_put_u64(skb, KMQTT_A_DROPPED,
			     READ_ONCE(session->dropped))) {
		genlmsg_cancel(skb, hdr);
		goto put_conn;
	}
	genlmsg_end(skb, hdr);
	ret = 0;
put_conn:
	kmqtt_conn_put(conn);
	return ret;
}

int kmqtt_nl_session_start(struct netlink_callback *cb)
{
	return kmqtt_nl_walk_start(cb, &kmqtt_nl_cb_broker(cb)->sessions);
}

int kmqtt_nl_session_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return kmqtt_nl_walk_dump(skb, cb, kmqtt_nl_fill_session);
}

int kmqtt_nl_client_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return kmqtt_nl_walk_dump(skb, cb, kmqtt_nl_fill_client);
}

int kmqtt_nl_session_done(struct netlink_callback *cb)
{
	kmqtt_nl_walk_done(cb);
	return 0;
}
