// SPDX-License-Identifier: GPL-2.0
/* QoS 0, 1 and 2 as a sender and a receiver see them: tables, no memory. */
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

#define RX_STEP(_next, _action) { MQTT_QOS_RX_##_next, MQTT_QOS_RX_##_action }

/*
 * What could not even be remembered is refused, or fails, while it is FREE.
 * Once HELD, an identifier answers without asking anybody again: the message
 * was handed on, whatever the rules say meanwhile.
 */
static const struct mqtt_qos_step
mqtt_qos_rx_steps[MQTT_QOS_RX_NR_STATES][MQTT_QOS_RX_NR_EVENTS] = {
	[MQTT_QOS_RX_FREE] = {
		[MQTT_QOS_RX_PUBLISH] = RX_STEP(HELD, HAND_ON),
		[MQTT_QOS_RX_TAKEN] = RX_STEP(FREE, NONE),
		[MQTT_QOS_RX_REFUSED] = RX_STEP(FREE, SEND_PUBREC_ERROR),
		[MQTT_QOS_RX_FAILED] = RX_STEP(FREE, END_CONNECTION),
		[MQTT_QOS_RX_PUBREL] = RX_STEP(FREE, SEND_PUBCOMP_UNKNOWN),
	},
	[MQTT_QOS_RX_HELD] = {
		[MQTT_QOS_RX_PUBLISH] = RX_STEP(HELD, SEND_PUBREC),
		[MQTT_QOS_RX_TAKEN] = RX_STEP(HELD, SEND_PUBREC),
		[MQTT_QOS_RX_REFUSED] = RX_STEP(FREE, SEND_PUBREC_ERROR),
		[MQTT_QOS_RX_FAILED] = RX_STEP(FREE, END_CONNECTION),
		[MQTT_QOS_RX_PUBREL] = RX_STEP(FREE, SEND_PUBCOMP),
	},
};

struct mqtt_qos_step mqtt_qos_rx_step(u8 state, u8 event)
{
	struct mqtt_qos_step same = { state, MQTT_QOS_RX_NONE };

	if (state >= MQTT_QOS_RX_NR_STATES || event >= MQTT_QOS_RX_NR_EVENTS)
		return same;
	return mqtt_qos_rx_steps[state][event];
}
