/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QoS 0, 1 and 2 (MQTT 5.0 sections 4.3 and 4.4): what a message on its way to
 * one subscriber does next, and what a packet identifier that a publisher uses
 * does. Pure tables: packet identifiers, quotas and the sending itself belong
 * to the caller. selftests/model checks these very tables.
 */
#ifndef MQTT_QOS_H
#define MQTT_QOS_H

#include <linux/types.h>

/**
 * enum mqtt_qos_state - where one outgoing message stands
 *
 * @MQTT_QOS_QUEUED: not sent yet. It has no packet identifier and holds no
 *	quota. Only in this state may message expiry or a full queue take it
 *	away [MQTT-4.3.3-7].
 * @MQTT_QOS_WAIT_PUBACK: QoS 1, sent, unacknowledged [MQTT-4.3.2-3]
 * @MQTT_QOS_WAIT_PUBREC: QoS 2, sent, unacknowledged [MQTT-4.3.3-3]
 * @MQTT_QOS_WAIT_PUBCOMP: QoS 2, PUBREL sent [MQTT-4.3.3-5]. The message
 *	itself is not needed any more, only its packet identifier is: it is
 *	never published again [MQTT-4.3.3-6].
 * @MQTT_QOS_DONE: nothing is kept. Also the state of a packet identifier that
 *	is not in use.
 * @MQTT_QOS_NR_STATES: how many there are
 *
 * The three in the middle hold a packet identifier and one of the peer's
 * receive maximum. They are the session's, not the connection's: they
 * survive a disconnect as they are.
 */
enum mqtt_qos_state {
	MQTT_QOS_QUEUED,
	MQTT_QOS_WAIT_PUBACK,
	MQTT_QOS_WAIT_PUBREC,
	MQTT_QOS_WAIT_PUBCOMP,
	MQTT_QOS_DONE,
	MQTT_QOS_NR_STATES,
};

/**
 * enum mqtt_qos_event - what can happen to it
 *
 * @MQTT_QOS_SEND: quota and (above QoS 0) a packet identifier are at hand
 * @MQTT_QOS_PUBACK: PUBACK with any reason code: 0x80 and above acknowledge
 *	as well [MQTT-4.4.0-2]
 * @MQTT_QOS_PUBREC_OK: PUBREC with a reason code below 0x80, or from 3.x
 * @MQTT_QOS_PUBREC_ERROR: PUBREC with 0x80 and above [MQTT-4.4.0-2]
 * @MQTT_QOS_PUBCOMP: PUBCOMP with any reason code
 * @MQTT_QOS_RESUME: the session has a new connection [MQTT-4.4.0-1]; raised
 *	once for each message, in the order in which they were first sent
 *	[MQTT-4.6.0-1], as the quota allows. Also raised when the retry
 *	interval of a 3.x peer is over; never for 5.0.
 * @MQTT_QOS_NR_EVENTS: how many there are
 */
enum mqtt_qos_event {
	MQTT_QOS_SEND,
	MQTT_QOS_PUBACK,
	MQTT_QOS_PUBREC_OK,
	MQTT_QOS_PUBREC_ERROR,
	MQTT_QOS_PUBCOMP,
	MQTT_QOS_RESUME,
	MQTT_QOS_NR_EVENTS,
};

/**
 * enum mqtt_qos_action - what the caller does
 *
 * @MQTT_QOS_NONE: nothing; the event means nothing in this state
 * @MQTT_QOS_SEND_PUBLISH: send PUBLISH with DUP 0 [MQTT-4.3.1-1]
 *	[MQTT-4.3.2-2] [MQTT-4.3.3-2]. At QoS 0 that was all (next is DONE).
 * @MQTT_QOS_SEND_PUBLISH_DUP: send PUBLISH with DUP 1 and its old packet
 *	identifier [MQTT-3.3.1-1] [MQTT-4.4.0-1]
 * @MQTT_QOS_SEND_PUBREL: send PUBREL with reason 0 [MQTT-4.3.3-4]; the
 *	message's content may go
 * @MQTT_QOS_SEND_PUBREL_UNKNOWN: send PUBREL with
 *	MQTT_RC_PACKET_ID_NOT_FOUND (3.x: a plain one), so that a peer which
 *	still knows the identifier can end its exchange
 * @MQTT_QOS_RELEASE: free the message and the packet identifier, give the
 *	quota back
 * @MQTT_QOS_PROTOCOL_ERROR: the peer answered with a packet that this
 *	exchange does not have: end the connection (5.0:
 *	MQTT_RC_PROTOCOL_ERROR). The session's state is unchanged.
 */
enum mqtt_qos_action {
	MQTT_QOS_NONE,
	MQTT_QOS_SEND_PUBLISH,
	MQTT_QOS_SEND_PUBLISH_DUP,
	MQTT_QOS_SEND_PUBREL,
	MQTT_QOS_SEND_PUBREL_UNKNOWN,
	MQTT_QOS_RELEASE,
	MQTT_QOS_PROTOCOL_ERROR,
};

/**
 * struct mqtt_qos_step - the answer to an event
 * @next: enum mqtt_qos_state or enum mqtt_qos_rx_state
 * @action: enum mqtt_qos_action or enum mqtt_qos_rx_action
 */
struct mqtt_qos_step {
	u8 next;
	u8 action;
};

/**
 * mqtt_qos_step() - what an event does to an outgoing message
 * @state: enum mqtt_qos_state; MQTT_QOS_DONE for a packet identifier of the
 *	peer's that belongs to no message
 * @event: enum mqtt_qos_event
 * @qos: of this delivery, 0 to 2; only MQTT_QOS_SEND looks at it
 *
 * Pure, any context. Set the new state before the action is carried out: a
 * PUBLISH or PUBREL that could not be sent is then sent again by the next
 * MQTT_QOS_RESUME. Values out of range change nothing.
 *
 * Return: the next state and the action.
 */
struct mqtt_qos_step mqtt_qos_step(u8 state, u8 event, u8 qos);

/**
 * enum mqtt_qos_rx_state - a packet identifier of the peer's, for QoS 2
 *
 * @MQTT_QOS_RX_FREE: a PUBLISH with it is a new message
 * @MQTT_QOS_RX_HELD: a PUBLISH with it is a repetition [MQTT-4.3.3-10]. The
 *	session's, as it is: it survives a disconnect.
 * @MQTT_QOS_RX_NR_STATES: how many there are
 */
enum mqtt_qos_rx_state {
	MQTT_QOS_RX_FREE,
	MQTT_QOS_RX_HELD,
	MQTT_QOS_RX_NR_STATES,
};

/**
 * enum mqtt_qos_rx_event - what can happen to it
 *
 * @MQTT_QOS_RX_PUBLISH: a PUBLISH of QoS 2 has come
 * @MQTT_QOS_RX_TAKEN: its message was handed on, or the peer is to believe so
 * @MQTT_QOS_RX_REFUSED: it was not, and the peer can be told with what reason
 * @MQTT_QOS_RX_FAILED: it was not, the peer cannot be told (3.x), and has to
 *	send it again
 * @MQTT_QOS_RX_PUBREL: a PUBREL has come
 * @MQTT_QOS_RX_NR_EVENTS: how many there are
 */
enum mqtt_qos_rx_event {
	MQTT_QOS_RX_PUBLISH,
	MQTT_QOS_RX_TAKEN,
	MQTT_QOS_RX_REFUSED,
	MQTT_QOS_RX_FAILED,
	MQTT_QOS_RX_PUBREL,
	MQTT_QOS_RX_NR_EVENTS,
};

/**
 * enum mqtt_qos_rx_action - what the caller does
 *
 * @MQTT_QOS_RX_NONE: nothing: the event cannot happen in this state
 * @MQTT_QOS_RX_HAND_ON: hand the message on, then raise MQTT_QOS_RX_TAKEN,
 *	_REFUSED or _FAILED
 * @MQTT_QOS_RX_SEND_PUBREC: with a reason code below 0x80 [MQTT-4.3.3-8]
 * @MQTT_QOS_RX_SEND_PUBREC_ERROR: with one of 0x80 and above [MQTT-4.3.3-9]
 * @MQTT_QOS_RX_SEND_PUBCOMP: [MQTT-4.3.3-11]
 * @MQTT_QOS_RX_SEND_PUBCOMP_UNKNOWN: with MQTT_RC_PACKET_ID_NOT_FOUND (3.x: a
 *	plain one); after a lost PUBCOMP that is no error
 * @MQTT_QOS_RX_END_CONNECTION: nothing is said
 */
enum mqtt_qos_rx_action {
	MQTT_QOS_RX_NONE,
	MQTT_QOS_RX_HAND_ON,
	MQTT_QOS_RX_SEND_PUBREC,
	MQTT_QOS_RX_SEND_PUBREC_ERROR,
	MQTT_QOS_RX_SEND_PUBCOMP,
	MQTT_QOS_RX_SEND_PUBCOMP_UNKNOWN,
	MQTT_QOS_RX_END_CONNECTION,
};

/**
 * mqtt_qos_rx_step() - what an event does to a packet identifier of the peer's
 * @state: enum mqtt_qos_rx_state
 * @event: enum mqtt_qos_rx_event
 *
 * Pure, any context. Set the new state before the action is carried out:
 * whatever cannot be remembered must not be handed on. Values out of range
 * change nothing.
 *
 * Return: the next enum mqtt_qos_rx_state and the enum mqtt_qos_rx_action.
 */
struct mqtt_qos_step mqtt_qos_rx_step(u8 state, u8 event);

#endif
