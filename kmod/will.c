// SPDX-License-Identifier: GPL-2.0
/* Will messages [MQTT-3.1.2-7]: kept with the session, published at its end. */
#include <linux/slab.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "control.h"
#include "datapath.h"
#include "message.h"
#include "session.h"

/* Bytes of topic, properties and payload. */
#define KMQTT_WILL_SMALL	512

struct kmqtt_will *kmqtt_will_create(struct kmqtt_broker *broker,
				     const struct mqtt_connect *connect)
{
	struct mqtt_publish publish = {
		.qos = connect->will_qos,
		.retain = connect->will_retain,
		.topic = connect->will_topic,
		.payload = connect->will_payload,
		.props = connect->will_props,
	};
	u32 size = connect->will_topic.len + connect->will_props.raw.len +
		   connect->will_payload.len;
	struct kmqtt_will *will;

	/* A small one is no reason to refuse a client. */
	if (!kmqtt_room(broker, 0, size <= KMQTT_WILL_SMALL ? KMQTT_CONNECT :
							      KMQTT_HOLD))
		return NULL;
	will = kzalloc(sizeof(*will), GFP_KERNEL);
	if (!will)
		return NULL;
	will->msg = kmqtt_msg_create(broker, &publish, &publish.topic, NULL, 0,
				     GFP_KERNEL);
	if (!will->msg) {
		kfree(will);
		return NULL;
	}
	will->delay = connect->will_props.will_delay;
	will->has_expiry = mqtt_props_has(&connect->will_props,
					  MQTT_PROP_MESSAGE_EXPIRY);
	will->expiry = connect->will_props.message_expiry;
	return will;
}

void kmqtt_will_free(struct kmqtt_will *will)
{
	if (!will)
		return;
	kmqtt_msg_put(will->msg);
	kfree(will);
}

void kmqtt_will_publish(struct kmqtt_session *session, struct kmqtt_will *will)
{
	struct kmqtt_broker *broker = session->broker;
	struct kmqtt_msg *msg = will->msg;
	struct kmqtt_run run;

	/* Rules may have changed since CONNECT. */
	if (!kmqtt_acl_check(session, KMQTT_ACCESS_WRITE, &msg->topic)) {
		kmqtt_stat_inc(broker, KMQTT_STAT_ACL_DENIED_PUBLISH);
		kmqtt_will_free(will);
		return;
	}
	/* Its life begins now; nobody else has seen it yet. */
	msg->created = get_jiffies_64();
	if (will->has_expiry)
		msg->expires = msg->created + (u64)will->expiry * HZ;
	kmqtt_stat_inc(broker, KMQTT_STAT_WILLS_SENT);
	kmqtt_run_init(&run, broker);
	if (msg->retain)
		kmqtt_retain_store(broker, msg);
	kmqtt_route(&run, msg, session);
	kmqtt_send_flush(&run);
	kmqtt_out_unstock(&run);
	kmqtt_will_free(will);
}
