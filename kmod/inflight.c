// SPDX-License-Identifier: GPL-2.0
/*
 * What clients say to what they were sent, and what is sent again to those who
 * say nothing. The rules are in core/qos.c; here they move deliveries.
 */
#include "broker.h"
#include "conn.h"
#include "datapath.h"
#include "packet_ids.h"
#include "session.h"

static u8 kmqtt_inflight_event(u8 type, u8 reason)
{
	switch (type) {
	case MQTT_PUBACK:
		return MQTT_QOS_PUBACK;
	case MQTT_PUBREC:
		return reason < 0x80 ? MQTT_QOS_PUBREC_OK :
				       MQTT_QOS_PUBREC_ERROR;
	default:
		return MQTT_QOS_PUBCOMP;
	}
}

static u8 kmqtt_inflight_pubrel(struct kmqtt_run *run, struct kmqtt_conn *conn,
				u16 packet_id, u8 reason)
{
	u8 buf[8];
	int len;

	len = mqtt_encode_ack(buf, sizeof(buf), MQTT_PUBREL, conn->version,
			      packet_id, reason);
	if (len < 0 || kmqtt_send_control(conn, buf, len, run->gfp))
		return MQTT_RC_QUOTA_EXCEEDED;
	kmqtt_send_mark(run, conn);
	return 0;
}

/* session->lock held. Return: enum mqtt_qos_action. */
static u8 kmqtt_inflight_step(struct kmqtt_session *session, u16 packet_id,
			      u8 event)
{
	struct kmqtt_out *out = kmqtt_packet_id_find(session, packet_id);
	struct mqtt_qos_step step;
	u8 state = MQTT_QOS_DONE;

	/* One in the window that was not sent yet is unknown to the client. */
	if (out && out->state != MQTT_QOS_QUEUED)
		state = out->state;
	step = mqtt_qos_step(state, event, out ? out->qos : 0);
	if (state == MQTT_QOS_DONE)
		return step.action;
	out->state = step.next;
	if (step.action == MQTT_QOS_RELEASE) {
		list_del(&out->link);
		kmqtt_packet_id_put(session, out);
		kmqtt_out_put(out);
		kmqtt_deliver_refill(session);
	} else if (step.action == MQTT_QOS_SEND_PUBREL) {
		/* If it waited to be sent again, PUBREL takes its place. */
		list_move_tail(&out->link, &session->inflight);
		out->sent = jiffies;
		out->retries = 0;
	}
	return step.action;
}

u8 kmqtt_inflight_acked(struct kmqtt_run *run, struct kmqtt_conn *conn, u8 type,
			u16 packet_id, u8 reason)
{
	struct kmqtt_session *session = conn->session;
	u8 action = MQTT_QOS_NONE;

	spin_lock_bh(&session->lock);
	if (session->conn == conn)
		action = kmqtt_inflight_step(session, packet_id,
					     kmqtt_inflight_event(type, reason));
	if (kmqtt_deliver_due(session))
		kmqtt_send_mark(run, conn);
	spin_unlock_bh(&session->lock);

	switch (action) {
	case MQTT_QOS_SEND_PUBREL:
		return kmqtt_inflight_pubrel(run, conn, packet_id, 0);
	case MQTT_QOS_SEND_PUBREL_UNKNOWN:
		return kmqtt_inflight_pubrel(run, conn, packet_id,
					     MQTT_RC_PACKET_ID_NOT_FOUND);
	case MQTT_QOS_PROTOCOL_ERROR:
		return MQTT_RC_PROTOCOL_ERROR;
	default:
		return 0;
	}
}

/* session->lock held. @next: jiffies until the oldest left is due. */
static int kmqtt_inflight_requeue_old(struct kmqtt_session *session,
				      unsigned long interval, long *next)
{
	u8 max = kmqtt_cfg(session->broker, KMQTT_SET_RETRY_MAX);
	struct kmqtt_out *out, *tmp;
	unsigned long age;
	LIST_HEAD(due);
	int ret = 0;

	*next = interval;
	list_for_each_entry_safe(out, tmp, &session->inflight, link) {
		age = jiffies - out->sent;
		if (age < interval) {
			*next = min_t(long, *next, interval - age);
			continue;
		}
		if (out->retries >= max) {
			ret = -ETIME;
			break;
		}
		out->retries++;
		list_move_tail(&out->link, &due);
	}
	list_splice(&due, &session->ready);
	return ret;
}

long kmqtt_inflight_retry(struct kmqtt_conn *conn)
{
	unsigned long interval = HZ * kmqtt_cfg(conn->broker,
						KMQTT_SET_RETRY_INTERVAL);
	struct kmqtt_session *session = conn->session;
	long next = 0;
	int ret = 0;

	/* 5.0 forbids it [MQTT-4.4.0-1]. */
	if (!interval || !session || conn->version == MQTT_V5)
		return 0;
	spin_lock_bh(&session->lock);
	if (session->conn == conn)
		ret = kmqtt_inflight_requeue_old(session, interval, &next);
	spin_unlock_bh(&session->lock);
	return ret ?: next;
}
