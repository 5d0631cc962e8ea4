// SPDX-License-Identifier: GPL-2.0
/* Events for whoever has joined the group; built only if somebody has. */
#include <linux/slab.h>
#include "broker.h"
#include "conn.h"
#include "control.h"
#include "listener.h"
#include "netlink.h"
#include "session.h"
#include "transport.h"

/*
 * What is told; what is empty or NULL is left out. @topic_attr says whether
 * @topic is a KMQTT_A_TOPIC or a KMQTT_A_FILTER.
 */
struct kmqtt_event_info {
	u8 type;
	bool has_reason;
	bool has_qos;
	bool has_dropped;
	u8 reason;
	u8 qos;
	u32 listener_id;
	u64 dropped;
	const struct mqtt_str *client_id;
	const struct sockaddr *addr;
	struct kmqtt_session *session;
	struct mqtt_str username;
	const struct mqtt_str *topic;
	int topic_attr;
};

static int kmqtt_event_fill(struct sk_buff *skb, const struct kmqtt_event_info *ev)
{
	void *hdr = genlmsg_put(skb, 0, 0, &kmqtt_genl_family, 0,
				KMQTT_CMD_EVENT);

	if (!hdr || nla_put_u8(skb, KMQTT_A_EVENT_TYPE, ev->type) ||
	    (ev->client_id && ev->client_id->len &&
	     kmqtt_nl_put_cut(skb, KMQTT_A_CLIENT_ID, ev->client_id)) ||
	    (ev->username.data &&
	     kmqtt_nl_put_cut(skb, KMQTT_A_USERNAME, &ev->username)) ||
	    (ev->has_reason && nla_put_u8(skb, KMQTT_A_REASON, ev->reason)) ||
	    (ev->addr && kmqtt_nl_put_addr(skb, ev->addr)) ||
	    (ev->listener_id &&
	     nla_put_u32(skb, KMQTT_A_LISTENER_ID, ev->listener_id)) ||
	    (ev->topic && ev->topic->len &&
	     kmqtt_nl_put_cut(skb, ev->topic_attr, ev->topic)) ||
	    (ev->has_qos && nla_put_u8(skb, KMQTT_A_QOS, ev->qos)) ||
	    (ev->has_dropped &&
	     kmqtt_nl_put_u64(skb, KMQTT_A_DROPPED, ev->dropped)))
		return -EMSGSIZE;
	genlmsg_end(skb, hdr);
	return 0;
}

/* Small events in small buffers: a listener's socket is charged for them. */
static size_t kmqtt_event_size(const struct kmqtt_event_info *ev)
{
	size_t size = 256 + min_t(size_t, ev->username.len,
				  KMQTT_NL_STRING_MAX);

	if (ev->client_id)
		size += min_t(size_t, ev->client_id->len, KMQTT_NL_STRING_MAX);
	if (ev->topic)
		size += min_t(size_t, ev->topic->len, KMQTT_NL_STRING_MAX);
	return size;
}

static int kmqtt_event_multicast(struct kmqtt_broker *broker,
				 const struct kmqtt_event_info *ev)
{
	struct sk_buff *skb;
	int ret;

	skb = genlmsg_new(kmqtt_event_size(ev), GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return -ENOMEM;
	ret = kmqtt_event_fill(skb, ev);
	if (ret) {
		nlmsg_free(skb);
		return ret;
	}
	/* -ESRCH: nobody had room for it (or all have left meanwhile) */
	return genlmsg_multicast_netns(&kmqtt_genl_family, broker->net, skb, 0,
				       KMQTT_NL_EVENTS, GFP_ATOMIC);
}

/* Spares what follows while nobody listens. Any context. */
static bool kmqtt_event_heard(struct kmqtt_broker *broker)
{
	bool heard;

	rcu_read_lock();
	heard = kmqtt_nl_ready() && genl_has_listeners(&kmqtt_genl_family,
						       broker->net,
						       KMQTT_NL_EVENTS);
	rcu_read_unlock();
	return heard;
}

/* Any context that may take a spin lock. */
static void kmqtt_event_send(struct kmqtt_broker *broker,
			     struct kmqtt_event_info *ev)
{
	const char *name = NULL;
	int idx;

	rcu_read_lock();
	if (!kmqtt_event_heard(broker))
		goto unlock;
	idx = srcu_read_lock(kmqtt_srcu);
	if (ev->session)
		name = srcu_dereference(ev->session->username, kmqtt_srcu);
	ev->username.data = (const u8 *)name;
	ev->username.len = name ? strlen(name) : 0;
	if (kmqtt_event_multicast(broker, ev))
		kmqtt_stat_inc(broker, KMQTT_STAT_EVENTS_LOST);
	srcu_read_unlock(kmqtt_srcu, idx);
unlock:
	rcu_read_unlock();
}

void kmqtt_event_conn(struct kmqtt_conn *conn, u8 event, u8 reason,
		      const struct mqtt_str *client_id)
{
	struct kmqtt_session *session = READ_ONCE(conn->session);
	struct kmqtt_event_info ev;

	if (!kmqtt_event_heard(conn->broker))
		return;
	ev = (struct kmqtt_event_info) {
		.type = event,
		.has_reason = event != KMQTT_EVENT_CONNECTED,
		.reason = reason,
		.client_id = client_id,
		.session = session,
		.addr = kmqtt_transport_addr(conn),
		.listener_id = conn->listener->id,
	};
	if (!ev.client_id && session)
		ev.client_id = &session->client_id;
	kmqtt_event_send(conn->broker, &ev);
}

static bool kmqtt_event_is_filter(u8 event, const struct mqtt_str *topic)
{
	u32 i;

	if (event == KMQTT_EVENT_SUBSCRIBED || event == KMQTT_EVENT_UNSUBSCRIBED)
		return true;
	for (i = 0; i < topic->len; i++)
		if (topic->data[i] == '+' || topic->data[i] == '#')
			return true;
	return false;
}

void kmqtt_event_session(struct kmqtt_session *session, u8 event,
			 const struct mqtt_str *topic, u8 qos)
{
	struct kmqtt_event_info ev = {
		.type = event,
		.client_id = &session->client_id,
		.session = session,
		.topic = topic,
		.topic_attr = KMQTT_A_TOPIC,
		.has_qos = event == KMQTT_EVENT_SUBSCRIBED,
		.qos = qos,
		.has_dropped = event == KMQTT_EVENT_DROPPED,
		.dropped = READ_ONCE(session->dropped),
	};

	if (topic && kmqtt_event_is_filter(event, topic))
		ev.topic_attr = KMQTT_A_FILTER;
	kmqtt_event_send(session->broker, &ev);
}

void kmqtt_event_listener(struct kmqtt_broker *broker, u8 event, u32 id)
{
	struct kmqtt_event_info ev = {
		.type = event,
		.listener_id = id,
	};

	kmqtt_event_send(broker, &ev);
}
