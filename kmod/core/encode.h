/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control packets to a client. encode.c: pure, any context. An encoder writes
 * all of its packet, or nothing and returns -EMSGSIZE.
 */
#ifndef MQTT_ENCODE_H
#define MQTT_ENCODE_H

#include "mqtt.h"

/**
 * struct mqtt_connack - what a CONNACK says
 * @version: enum mqtt_version of the connection
 * @reason: enum mqtt_rc; for 3.x mapped by the encoder
 * @session_present: said with reason 0 only [MQTT-3.2.2-6]
 * @retain_unavailable: [false]
 * @has_session_expiry: [false] say @session_expiry
 * @has_server_keep_alive: [false] say @server_keep_alive
 * @maximum_qos: [2]
 * @server_keep_alive: seconds
 * @receive_maximum: [0 or 65535] packets
 * @topic_alias_maximum: [0]
 * @maximum_packet_size: [0] bytes
 * @session_expiry: seconds
 * @client_maximum: bytes the client takes, 0: no bound. The reason string is
 *	left out rather than pass it [MQTT-3.2.2-19].
 * @assigned_client_id: [empty]
 * @reason_string: [empty]
 * @response_info: [empty]
 * @auth_method: [empty]
 * @auth_data: [empty]
 *
 * A property is written for 5.0 only, and only if its field differs from the
 * value in brackets.
 */
struct mqtt_connack {
	u8 version;
	u8 reason;
	bool session_present;
	bool retain_unavailable;
	bool has_session_expiry;
	bool has_server_keep_alive;
	u8 maximum_qos;
	u16 server_keep_alive;
	u16 receive_maximum;
	u16 topic_alias_maximum;
	u32 maximum_packet_size;
	u32 session_expiry;
	u32 client_maximum;
	struct mqtt_str assigned_client_id;
	struct mqtt_str reason_string;
	struct mqtt_str response_info;
	struct mqtt_str auth_method;
	struct mqtt_str auth_data;
};

/**
 * mqtt_rc_to_v3() - CONNACK return code for a reason code
 * @reason: enum mqtt_rc
 *
 * Return: an enum mqtt_connack_v3, or -1 where 3.x has none: the connection
 * is then closed without a CONNACK [MQTT-3.2.2-2 of 3.1.1].
 */
int mqtt_rc_to_v3(u8 reason);

/**
 * mqtt_encode_connack() - CONNACK of any version
 * @buf: where to
 * @size: room there
 * @ack: what to say
 *
 * Return: bytes; 0 where 3.x has no code for the reason, then nothing is to be
 * sent; -EMSGSIZE for more than @size or @ack->client_maximum
 * [MQTT-3.1.2-24].
 */
int mqtt_encode_connack(u8 *buf, size_t size, const struct mqtt_connack *ack);

/**
 * mqtt_encode_ack() - PUBACK, PUBREC, PUBREL or PUBCOMP
 * @buf: where to
 * @size: room there
 * @type: enum mqtt_type
 * @version: enum mqtt_version of the connection
 * @packet_id: of the PUBLISH [MQTT-2.2.1-5]
 * @reason: enum mqtt_rc; said to 5.0 only, and only if it is not 0
 *
 * Return: bytes (at most 5), or -EMSGSIZE.
 */
int mqtt_encode_ack(u8 *buf, size_t size, u8 type, u8 version, u16 packet_id,
		    u8 reason);

/**
 * mqtt_encode_suback() - SUBACK or UNSUBACK
 * @buf: where to
 * @size: room there
 * @type: enum mqtt_type
 * @version: enum mqtt_version of the connection
 * @packet_id: of the packet that is answered
 * @reasons: enum mqtt_rc, one for each topic filter in its order. For 3.x a
 *	failure becomes 0x80, and an UNSUBACK has none of them.
 * @nr: how many
 *
 * Return: bytes, or -EMSGSIZE.
 */
int mqtt_encode_suback(u8 *buf, size_t size, u8 type, u8 version,
		       u16 packet_id, const u8 *reasons, u32 nr);

/**
 * mqtt_suback_len() - bytes of a SUBACK or UNSUBACK
 * @type: enum mqtt_type
 * @version: enum mqtt_version of the connection
 * @nr: topic filters it answers
 */
u64 mqtt_suback_len(u8 type, u8 version, u32 nr);

/**
 * mqtt_encode_pingresp() - PINGRESP
 * @buf: where to
 * @size: room there
 *
 * Return: bytes (2), or -EMSGSIZE.
 */
int mqtt_encode_pingresp(u8 *buf, size_t size);

/**
 * mqtt_encode_disconnect() - DISCONNECT, which 3.x servers do not send
 * @buf: where to
 * @size: room there
 * @reason: enum mqtt_rc
 * @reason_string: NULL or empty for none; left out beyond @client_maximum
 *	[MQTT-3.14.2-3]
 * @client_maximum: bytes the client takes, 0: no bound
 *
 * Return: bytes, or -EMSGSIZE.
 */
int mqtt_encode_disconnect(u8 *buf, size_t size, u8 reason,
			   const struct mqtt_str *reason_string,
			   u32 client_maximum);

/**
 * mqtt_encode_auth() - AUTH, of 5.0
 * @buf: where to
 * @size: room there
 * @reason: enum mqtt_rc
 * @method: authentication method
 * @data: authentication data; NULL or empty for none
 *
 * Return: bytes, or -EMSGSIZE.
 */
int mqtt_encode_auth(u8 *buf, size_t size, u8 reason,
		     const struct mqtt_str *method,
		     const struct mqtt_str *data);

/**
 * struct mqtt_publish_out - what stands before the payload of one delivery
 * @version: enum mqtt_version of the connection
 * @flags: lower nibble of the first byte (DUP, QoS, RETAIN)
 * @packet_id: above QoS 0
 * @topic_alias: 0 for none
 * @has_expiry: send @message_expiry
 * @message_expiry: seconds left
 * @payload_len: bytes of payload that will follow
 * @nr_sub_ids: how many of them
 * @sub_ids: subscription identifiers [MQTT-3.3.4-4]
 * @topic: empty if @topic_alias alone says it
 * @props: bytes from mqtt_props_forward()
 *
 * A 3.x peer gets flags, topic and packet_id only.
 */
struct mqtt_publish_out {
	u8 version;
	u8 flags;
	u16 packet_id;
	u16 topic_alias;
	bool has_expiry;
	u32 message_expiry;
	u32 payload_len;
	u32 nr_sub_ids;
	const u32 *sub_ids;
	struct mqtt_str topic;
	struct mqtt_str props;
};

/**
 * mqtt_publish_head_len() - bytes before the payload
 * @out: the delivery
 * @total: if not NULL, the length of the whole packet; U32_MAX if it cannot
 *	be expressed
 *
 * Return: bytes, 0 if the packet cannot be expressed.
 */
u32 mqtt_publish_head_len(const struct mqtt_publish_out *out, u32 *total);

/**
 * mqtt_encode_publish_head() - what stands before the payload
 * @buf: where to
 * @size: room there
 * @out: the delivery
 *
 * Return: bytes (those of mqtt_publish_head_len()), or -EMSGSIZE, also for a
 * packet that cannot be expressed.
 */
int mqtt_encode_publish_head(u8 *buf, size_t size,
			     const struct mqtt_publish_out *out);

#endif
