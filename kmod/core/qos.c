// SPDX-License-Identifier: GPL-2.0
/* QoS 0, 1 and 2 as a sender sees them: one table, no memory of its own. */
#include "qos.h"

#define STEP(_next, _action) { MQTT_QOS_##_next, MQTT_QOS_##_action }

/*
 * MQTT_QOS_SEND in MQTT_QOS_QUEUED depends on the QoS: mqtt_qos_first has it.
 * A second PUBREC is answered again rather than refused: the peer asks for its
 * PUBREL [MQTT-4.3.3-4]. An acknowledgment for an unknown identifier is no
 * error: the session may have been dropped on this side only.
 */
static const struct mqtt_qos_step
mqtt_qos_steps[MQTT_QOS_NR_STATES][MQTT_QOS_NR_EVENTS] = {
	[MQTT_QOS_QUEUED] = {
		[MQTT_QOS_PUBACK] = STEP(QUEUED, NONE),
		[MQTT_QOS_PUBREC_OK] = STEP(QUEUED, SEND_PUBREL_UNKNOWN),
		[MQTT_QOS_PUBREC_ERROR] = STEP(QUEUED, NONE),
		[MQTT_QOS_PUBCOMP] = STEP(QUEUED, NONE),
		[MQTT_QOS_RESUME] = STEP(QUEUED, NONE),
	},
	[MQTT_QOS_WAIT_PUBACK] = {
		[MQTT_QOS_SEND] = STEP(WAIT_PUBACK, NONE),
		[MQTT_QOS_PUBACK] = STEP(DONE, RELEASE),
		[MQTT_QOS_PUBREC_OK] = STEP(WAIT_PUBACK, PROTOCOL_ERROR),
		[MQTT_QOS_PUBREC_ERROR] = STEP(WAIT_PUBACK, PROTOCOL_ERROR),
		[MQTT_QOS_PUBCOMP] = STEP(WAIT_PUBACK, PROTOCOL_ERROR),
		[MQTT_QOS_RESUME] = STEP(WAIT_PUBACK, SEND_PUBLISH_DUP),
	},
	[MQTT_QOS_WAIT_PUBREC] = {
		[MQTT_QOS_SEND] = STEP(WAIT_PUBREC, NONE),
		[MQTT_QOS_PUBACK] = STEP(WAIT_PUBREC, PROTOCOL_ERROR),
		[MQTT_QOS_PUBREC_OK] = STEP(WAIT_PUBCOMP, SEND_PUBREL),
		[MQTT_QOS_PUBREC_ERROR] = STEP(DONE, RELEASE),
		[MQTT_QOS_PUBCOMP] = STEP(WAIT_PUBREC, PROTOCOL_ERROR),
		[MQTT_QOS_RESUME] = STEP(WAIT_PUBREC, SEND_PUBLISH_DUP),
	},
	[MQTT_QOS_WAIT_PUBCOMP] = {
		[MQTT_QOS_SEND] = STEP(WAIT_PUBCOMP, NONE),
		[MQTT_QOS_PUBACK] = STEP(WAIT_PUBCOMP, PROTOCOL_ERROR),
		[MQTT_QOS_PUBREC_OK] = STEP(WAIT_PUBCOMP, SEND_PUBREL),
		[MQTT_QOS_PUBREC_ERROR] = STEP(WAIT_PUBCOMP, PROTOCOL_ERROR),
		[MQTT_QOS_PUBCOMP] = STEP(DONE, RELEASE),
		[MQTT_QOS_RESUME] = STEP(WAIT_PUBCOMP, SEND_PUBREL),
	},
	[MQTT_QOS_DONE] = {
		[MQTT_QOS_SEND] = STEP(DONE, NONE),
		[MQTT_QOS_PUBACK] = STEP(DONE, NONE),
		[MQTT_QOS_PUBREC_OK] = STEP(DONE, SEND_PUBREL_UNKNOWN),
		[MQTT_QOS_PUBREC_ERROR] = STEP(DONE, NONE),
		[MQTT_QOS_PUBCOMP] = STEP(DONE, NONE),
		[MQTT_QOS_RESUME] = STEP(DONE, NONE),
	},
};

static const struct mqtt_qos_step mqtt_qos_first[] = {
	[0] = STEP(DONE, SEND_PUBLISH),
	[1] = STEP(WAIT_PUBACK, SEND_PUBLISH),
	[2] = STEP(WAIT_PUBREC, SEND_PUBLISH),
};

struct mqtt_qos_step mqtt_qos_step(u8 state, u8 event, u8 qos)
{
	struct mqtt_qos_step same = { state, MQTT_QOS_NONE };

	if (state >= MQTT_QOS_NR_STATES || event >= MQTT_QOS_NR_EVENTS)
		return same;
	if (state != MQTT_QOS_QUEUED || event != MQTT_QOS_SEND)
		return mqtt_qos_steps[state][event];
	return qos <= 2 ? mqtt_qos_first[qos] : same;
}
