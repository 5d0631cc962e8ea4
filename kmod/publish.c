// SPDX-License-Identifier: GPL-2.0
/*
 * PUBLISH from a client, and the acknowledgments both ways. QoS 2 is handed
 * on when it arrives; its packet identifier is remembered until PUBREL, so a
 * repetition goes nowhere [MQTT-4.3.3-10].
 */
#include <linux/slab.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "burst.h"
#include "conn.h"
#include "control.h"
#include "core/topic.h"
#include "datapath.h"
#include "express.h"
#include "gather.h"
#include "released.h"
#include "session.h"

static u8 kmqtt_publish_answer(struct kmqtt_run *run, struct kmqtt_conn *conn,
			       u8 type, u16 packet_id, u8 reason)
{
	u8 buf[8];
	int len;

	len = mqtt_encode_ack(buf, sizeof(buf), type, conn->version, packet_id,
			      reason);
	if (len < 0 || kmqtt_send_control(conn, buf, len, run->gfp))
		return MQTT_RC_QUOTA_EXCEEDED;
	kmqtt_send_mark(run, conn);
	return 0;
}

/* Answer a PUBLISH; 3.x can only say yes [MQTT-3.3.5-2 of 3.1.1]. */
static u8 kmqtt_publish_acknowledge(struct kmqtt_run *run,
				    struct kmqtt_conn *conn,
				    const struct mqtt_publish *publish,
				    u8 reason)
{
	if (!publish->qos)
		return 0;
	return kmqtt_publish_answer(run, conn, publish->qos == 1 ?
				    MQTT_PUBACK : MQTT_PUBREC,
				    publish->packet_id, reason);
}

static size_t kmqtt_publish_alias_bytes(const struct kmqtt_conn *conn)
{
	return conn->alias_in_max * sizeof(*conn->alias_in);
}

void kmqtt_publish_free_aliases(struct kmqtt_conn *conn)
{
	u16 i;

	if (!conn->alias_in)
		return;
	for (i = 0; i < conn->alias_in_max; i++) {
		kmqtt_uncharge(conn->broker, conn->alias_in[i].len);
		kfree(conn->alias_in[i].data);
	}
	kvfree(conn->alias_in);
	kmqtt_uncharge(conn->broker, kmqtt_publish_alias_bytes(conn));
}

static bool kmqtt_publish_make_aliases(struct kmqtt_conn *conn)
{
	size_t size = kmqtt_publish_alias_bytes(conn);

	if (!kmqtt_charge_share(conn->broker, size, kmqtt_share_of(size)))
		return false;
	conn->alias_in = kvzalloc(size, GFP_KERNEL | __GFP_NOWARN);
	if (!conn->alias_in)
		kmqtt_uncharge(conn->broker, size);
	return conn->alias_in;
}

static u8 kmqtt_publish_set_alias(struct kmqtt_conn *conn, u16 alias,
				  const struct mqtt_str *topic)
{
	struct mqtt_str *slot;
	u8 *copy;

	if (!conn->alias_in && !kmqtt_publish_make_aliases(conn))
		return MQTT_RC_QUOTA_EXCEEDED;
	slot = &conn->alias_in[alias - 1];
	if (slot->len == topic->len &&
	    !memcmp(slot->data, topic->data, topic->len))
		return 0;
	if (!kmqtt_charge_share(conn->broker, topic->len,
				kmqtt_share_of(conn->alias_in_bytes +
					       topic->len)))
		return MQTT_RC_QUOTA_EXCEEDED;
	copy = kmemdup(topic->data, topic->len, GFP_KERNEL | __GFP_NOWARN);
	if (!copy) {
		kmqtt_uncharge(conn->broker, topic->len);
		return MQTT_RC_QUOTA_EXCEEDED;
	}
	kmqtt_uncharge(conn->broker, slot->len);
	kfree(slot->data);
	conn->alias_in_bytes += topic->len - slot->len;
	slot->data = copy;
	slot->len = topic->len;
	return 0;
}

/* The topic name, by alias or not [MQTT-3.3.2-9] [MQTT-3.3.2-12]. */
static u8 kmqtt_publish_topic(struct kmqtt_conn *conn,
			      const struct mqtt_publish *publish,
			      struct mqtt_str *topic)
{
	u16 alias = publish->props.topic_alias;

	*topic = publish->topic;
	if (!mqtt_props_has(&publish->props, MQTT_PROP_TOPIC_ALIAS))
		return 0;
	if (!alias || alias > conn->alias_in_max)
		return MQTT_RC_TOPIC_ALIAS_INVALID;
	if (topic->len)
		return kmqtt_publish_set_alias(conn, alias, topic);
	if (!conn->alias_in || !conn->alias_in[alias - 1].len)
		return MQTT_RC_PROTOCOL_ERROR;
	*topic = conn->alias_in[alias - 1];
	return 0;
}

/* Payload Format Indicator 1 promises UTF-8 (3.3.2.3.2). */
static bool kmqtt_publish_format_valid(const struct mqtt_publish *publish)
{
	return !mqtt_props_has(&publish->props, MQTT_PROP_PAYLOAD_FORMAT) ||
	       publish->props.payload_format != 1 ||
	       mqtt_utf8_valid(publish->payload.data, publish->payload.len);
}

/* What the server does not support ends the connection. */
static u8 kmqtt_publish_check(struct kmqtt_conn *conn,
			      const struct mqtt_publish *publish,
			      const struct mqtt_str *topic)
{
	struct kmqtt_broker *broker = conn->broker;

	if (publish->qos > kmqtt_cfg(broker, KMQTT_SET_MAXIMUM_QOS))
		return MQTT_RC_QOS_NOT_SUPPORTED;
	if (publish->retain && !kmqtt_cfg(broker, KMQTT_SET_RETAIN_AVAILABLE))
		return MQTT_RC_RETAIN_NOT_SUPPORTED;
	/* An alias may have been given when more levels were allowed. */
	if ((publish->levels ?: mqtt_topic_depth(topic)) >
	    kmqtt_cfg(broker, KMQTT_SET_MAX_TOPIC_LEVELS))
		return MQTT_RC_TOPIC_NAME_INVALID;
	/* With an acknowledgment to say it in, the connection may stay. */
	if (!publish->qos && !kmqtt_publish_format_valid(publish))
		return MQTT_RC_PAYLOAD_FORMAT_INVALID;
	return 0;
}

/* Return: enum mqtt_qos_rx_state. */
static u8 kmqtt_publish_state(struct kmqtt_session *session, u16 packet_id)
{
	return kmqtt_rel_held(session, packet_id) ? MQTT_QOS_RX_HELD :
						    MQTT_QOS_RX_FREE;
}

/* Hand a message on. Return: the reason for its acknowledgment. */
static u8 kmqtt_publish_forward(struct kmqtt_run *run, struct kmqtt_conn *conn,
				const struct mqtt_publish *publish,
				const struct mqtt_str *topic, void **buf,
				size_t buf_size)
{
	struct kmqtt_broker *broker = conn->broker;
	struct kmqtt_msg *msg;
	u32 count;

	if (!kmqtt_acl_check(conn->session, KMQTT_ACCESS_WRITE, topic)) {
		kmqtt_stat_inc(broker, KMQTT_STAT_ACL_DENIED_PUBLISH);
		kmqtt_event_session(conn->session, KMQTT_EVENT_ACL_DENIED,
				    topic, publish->qos);
		return MQTT_RC_NOT_AUTHORIZED;
	}
	if (!kmqtt_publish_format_valid(publish))
		return MQTT_RC_PAYLOAD_FORMAT_INVALID;
	msg = run->msg ?: kmqtt_msg_create(broker, publish, topic,
					   buf ? *buf : NULL, buf_size,
					   run->gfp);
	run->msg = NULL;
	if (!msg) {
		kmqtt_stat_inc(broker, KMQTT_STAT_DROPPED_MEMORY);
		return MQTT_RC_QUOTA_EXCEEDED;
	}
	if (buf && msg->buf == *buf)
		*buf = NULL;
	if (!msg->qos && !msg->retain &&
	    kmqtt_burst_join(run, msg, conn->session))
		return MQTT_RC_SUCCESS;
	kmqtt_burst_flush(run);
	if (msg->retain) {
		/* Nobody waits for what we have for him while we wait. */
		if (mutex_is_locked(&broker->retain_lock))
			kmqtt_gather_flush(run);
		kmqtt_retain_store(broker, msg);
	}
	count = kmqtt_route(run, msg, conn->session);
	kmqtt_msg_put(msg);
	if (count)
		return MQTT_RC_SUCCESS;
	kmqtt_stat_inc(broker, KMQTT_STAT_PUBLISH_UNMATCHED);
	return MQTT_RC_NO_MATCHING_SUBSCRIBERS;
}

/*
 * 3.x is told yes, or, if it is to try again, nothing. Return: enum
 * mqtt_qos_rx_event.
 */
static u8 kmqtt_publish_outcome(const struct kmqtt_conn *conn, u8 reason)
{
	if (reason < 0x80)
		return MQTT_QOS_RX_TAKEN;
	if (conn->version == MQTT_V5)
		return MQTT_QOS_RX_REFUSED;
	return reason == MQTT_RC_QUOTA_EXCEEDED ? MQTT_QOS_RX_FAILED :
						  MQTT_QOS_RX_TAKEN;
}

/* A QoS 2 message that is new. Return: enum mqtt_qos_rx_action. */
static u8 kmqtt_publish_new(struct kmqtt_run *run, struct kmqtt_conn *conn,
			    const struct mqtt_publish *publish,
			    const struct mqtt_str *topic, void **buf,
			    size_t buf_size, u8 *reason)
{
	struct kmqtt_session *session = conn->session;
	u8 state = MQTT_QOS_RX_HELD;
	struct mqtt_qos_step step;

	if (session->nr_rel >= conn->receive_max) {
		*reason = MQTT_RC_RECEIVE_MAXIMUM_EXCEEDED; /* [MQTT-3.3.4-7] */
		return MQTT_QOS_RX_END_CONNECTION;
	}
	if (kmqtt_rel_hold(session, publish->packet_id, run->gfp)) {
		*reason = MQTT_RC_QUOTA_EXCEEDED;
		state = MQTT_QOS_RX_FREE;
	} else {
		*reason = kmqtt_publish_forward(run, conn, publish, topic, buf,
						buf_size);
	}
	step = mqtt_qos_rx_step(state, kmqtt_publish_outcome(conn, *reason));
	if (step.next == MQTT_QOS_RX_FREE)
		kmqtt_rel_forget(session, publish->packet_id);
	return step.action;
}

static u8 kmqtt_publish_qos2(struct kmqtt_run *run, struct kmqtt_conn *conn,
			     const struct mqtt_publish *publish,
			     const struct mqtt_str *topic, void **buf,
			     size_t buf_size)
{
	u8 state = kmqtt_publish_state(conn->session, publish->packet_id);
	u8 action = mqtt_qos_rx_step(state, MQTT_QOS_RX_PUBLISH).action;
	u8 reason = MQTT_RC_SUCCESS;

	if (action == MQTT_QOS_RX_HAND_ON)
		action = kmqtt_publish_new(run, conn, publish, topic, buf,
					   buf_size, &reason);
	if (action == MQTT_QOS_RX_END_CONNECTION)
		return reason;
	return kmqtt_publish_acknowledge(run, conn, publish, reason);
}

u8 kmqtt_publish_decoded(struct kmqtt_run *run, struct kmqtt_conn *conn,
			 const struct mqtt_publish *publish, void **buf,
			 size_t buf_size)
{
	struct mqtt_str topic;
	u8 reason;

	kmqtt_stat_inc(conn->broker, KMQTT_STAT_PUBLISH_RECEIVED);
	reason = kmqtt_publish_topic(conn, publish, &topic) ?:
		 kmqtt_publish_check(conn, publish, &topic);
	if (reason)
		return reason;
	if (publish->qos == 2)
		return kmqtt_publish_qos2(run, conn, publish, &topic, buf,
					  buf_size);
	reason = kmqtt_publish_forward(run, conn, publish, &topic, buf,
				       buf_size);
	/*
	 * 3.x cannot be refused: it is told by the end of the connection, and
	 * sends again, rather than acknowledged for what was not kept.
	 */
	if (reason == MQTT_RC_QUOTA_EXCEEDED && publish->qos &&
	    conn->version != MQTT_V5)
		return reason;
	return kmqtt_publish_acknowledge(run, conn, publish, reason);
}

u8 kmqtt_publish_handle(struct kmqtt_run *run, struct kmqtt_conn *conn,
			u8 flags, const u8 *body, u32 len, void **buf,
			size_t buf_size)
{
	struct mqtt_publish publish;
	u8 reason;

	reason = mqtt_decode_publish(body, len, flags, conn->version,
				     kmqtt_memo_topic(&conn->memo), &publish);
	if (reason)
		return reason;
	return kmqtt_publish_decoded(run, conn, &publish, buf, buf_size);
}

/* PUBREL has come. */
static u8 kmqtt_publish_released(struct kmqtt_run *run, struct kmqtt_conn *conn,
				 u16 packet_id)
{
	u8 state = kmqtt_publish_state(conn->session, packet_id);
	struct mqtt_qos_step step = mqtt_qos_rx_step(state, MQTT_QOS_RX_PUBREL);

	if (step.next == MQTT_QOS_RX_FREE)
		kmqtt_rel_forget(conn->session, packet_id);
	return kmqtt_publish_answer(run, conn, MQTT_PUBCOMP, packet_id,
				    step.action == MQTT_QOS_RX_SEND_PUBCOMP ?
				    MQTT_RC_SUCCESS :
				    MQTT_RC_PACKET_ID_NOT_FOUND);
}

u8 kmqtt_publish_ack(struct kmqtt_run *run, struct kmqtt_conn *conn, u8 type,
		     const u8 *body, u32 len)
{
	struct mqtt_ack ack;
	u8 reason;

	reason = mqtt_decode_ack(body, len, type, conn->version, &ack);
	if (reason)
		return reason;
	if (type != MQTT_PUBREL)
		return kmqtt_inflight_acked(run, conn, type, ack.packet_id,
					   ack.reason);
	return kmqtt_publish_released(run, conn, ack.packet_id);
}
