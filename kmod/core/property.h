/* SPDX-License-Identifier: GPL-2.0 */
/* The properties of MQTT 5.0 (section 2.2.2). property.c: pure, any context. */
#ifndef MQTT_PROPERTY_H
#define MQTT_PROPERTY_H

#include "mqtt.h"

/**
 * struct mqtt_props - properties of one packet, checked and taken apart
 * @present: bit per property identifier (BIT_ULL(enum mqtt_prop))
 * @raw: the property bytes as received, without their length
 * @content_type: UTF-8
 * @response_topic: a valid topic name
 * @correlation_data: any bytes
 * @auth_method: UTF-8
 * @auth_data: any bytes
 * @reason_string: UTF-8
 * @session_expiry: seconds; MQTT_EXPIRY_NEVER is what it says
 * @will_delay: seconds
 * @message_expiry: seconds
 * @maximum_packet_size: bytes, 0: none given
 * @subscription_id: 0: none given
 * @nr_user: user properties in @raw
 * @receive_maximum: packets, 65535 when absent
 * @topic_alias_maximum: the highest alias, 0: none is taken
 * @topic_alias: 0: none given
 * @payload_format: 1: the payload is said to be UTF-8
 * @request_problem_info: 1 when absent
 * @request_response_info: 1: response information is asked for
 *
 * Fields whose bit is not set in @present hold the standard's default where
 * there is one, else zero. Strings are views into the packet.
 */
struct mqtt_props {
	u64 present;
	struct mqtt_str raw;
	struct mqtt_str content_type;
	struct mqtt_str response_topic;
	struct mqtt_str correlation_data;
	struct mqtt_str auth_method;
	struct mqtt_str auth_data;
	struct mqtt_str reason_string;
	u32 session_expiry;
	u32 will_delay;
	u32 message_expiry;
	u32 maximum_packet_size;
	u32 subscription_id;
	u32 nr_user;
	u16 receive_maximum;
	u16 topic_alias_maximum;
	u16 topic_alias;
	u8 payload_format;
	u8 request_problem_info;
	u8 request_response_info;
};

static inline bool mqtt_props_has(const struct mqtt_props *p, enum mqtt_prop id)
{
	return p->present & (1ULL << id);
}

/**
 * mqtt_props_init() - no property present, each field at its default
 * @props: what a 3.x packet has, then
 */
void mqtt_props_init(struct mqtt_props *props);

/**
 * mqtt_props_decode() - check and take apart the properties of a packet
 * @buf: cursor at the property length, advanced past the properties
 * @type: enum mqtt_type, or 0 for will properties
 * @props: result
 *
 * Return: 0 or a reason code; on failure neither @buf nor @props is to be used.
 * One table says for each identifier its type, where it may stand and whether
 * twice. Unknown identifiers, those that do not belong into such a packet
 * (section 2.2.2.2) and values that do not fit are MQTT_RC_MALFORMED_PACKET.
 * Values out of range (receive maximum 0, maximum packet size 0, subscription
 * id 0, booleans above 1), a property twice, one that only servers may send
 * in such a packet [MQTT-3.3.4-6], a response topic that is no topic name
 * [MQTT-3.3.2-14] and auth_data without auth_method are
 * MQTT_RC_PROTOCOL_ERROR, topic alias 0 is MQTT_RC_TOPIC_ALIAS_INVALID
 * [MQTT-3.3.2-8].
 */
u8 mqtt_props_decode(struct mqtt_str *buf, u8 type, struct mqtt_props *props);

/**
 * mqtt_props_forward() - the properties of a PUBLISH that go on to subscribers
 * @raw: checked property bytes of a PUBLISH or a will
 * @dst: where to, or NULL to measure
 *
 * All of them in their order [MQTT-3.3.2-18] but topic alias, message expiry,
 * subscription identifiers and will delay, which are each delivery's own.
 *
 * Return: bytes (to be) written.
 */
u32 mqtt_props_forward(const struct mqtt_str *raw, u8 *dst);

#endif
