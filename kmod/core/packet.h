/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Control packets as views into the bytes they came in: nothing is copied,
 * nothing outlives the buffer. A decoder returns 0 or the reason code that a
 * 5.0 peer gets; a 3.x connection is closed for the same findings.
 */
#ifndef MQTT_PACKET_H
#define MQTT_PACKET_H

#include "encode.h"
#include "property.h"

/**
 * struct mqtt_fixed - a decoded fixed header
 * @type: enum mqtt_type, 0 is possible (reserved) and left to the caller
 * @flags: lower nibble of the first byte
 * @len: bytes of the fixed header itself (2 to 5)
 * @remaining: bytes that follow it
 */
struct mqtt_fixed {
	u8 type;
	u8 flags;
	u8 len;
	u32 remaining;
};

/**
 * struct mqtt_connect - CONNECT
 * @version: enum mqtt_version
 * @clean_start: clean session, in 3.x
 * @has_will: the will's fields hold something
 * @has_username: @username is there, possibly empty
 * @has_password: @password is there, possibly empty
 * @will_qos: 0 to 2
 * @will_retain: of the will
 * @keep_alive: seconds, 0: none
 * @client_id: possibly empty
 * @will_topic: a valid topic name
 * @will_payload: any bytes
 * @username: UTF-8
 * @password: any bytes
 * @props: of the connection
 * @will_props: of the will
 */
struct mqtt_connect {
	u8 version;
	bool clean_start;
	bool has_will;
	bool has_username;
	bool has_password;
	u8 will_qos;
	bool will_retain;
	u16 keep_alive;
	struct mqtt_str client_id;
	struct mqtt_str will_topic;
	struct mqtt_str will_payload;
	struct mqtt_str username;
	struct mqtt_str password;
	struct mqtt_props props;
	struct mqtt_props will_props;
};

/**
 * struct mqtt_known_topic - a topic name that was found valid before
 * @name: it; not empty
 * @levels: of it
 */
struct mqtt_known_topic {
	struct mqtt_str name;
	u32 levels;
};

/**
 * struct mqtt_publish - PUBLISH
 * @qos: 0 to 2
 * @dup: DUP flag
 * @retain: RETAIN flag
 * @known: @topic is that of a struct mqtt_known_topic
 * @packet_id: 0 at QoS 0, and only there
 * @version: of its client
 * @body: all that came behind the fixed header, the rest points into it; empty if
 *	it is no packet
 * @topic: a valid topic name; empty with a topic alias only
 * @levels: of @topic, 0 if it is empty
 * @payload: any bytes, possibly none
 * @props: of the message
 */
struct mqtt_publish {
	u8 qos;
	bool dup;
	bool retain;
	bool known;
	u16 packet_id;
	u8 version;
	u32 levels;
	struct mqtt_str body;
	struct mqtt_str topic;
	struct mqtt_str payload;
	struct mqtt_props props;
};

/**
 * struct mqtt_ack - PUBACK, PUBREC, PUBREL or PUBCOMP
 * @packet_id: not 0
 * @reason: MQTT_RC_SUCCESS where the packet does not say
 * @props: of the packet
 */
struct mqtt_ack {
	u16 packet_id;
	u8 reason;
	struct mqtt_props props;
};

/**
 * struct mqtt_subscribe - SUBSCRIBE or UNSUBSCRIBE
 * @packet_id: not 0
 * @nr: topic filters in @filters, at least one
 * @filters: the payload, walked by mqtt_subscribe_next()
 * @props: of the packet
 */
struct mqtt_subscribe {
	u16 packet_id;
	u32 nr;
	struct mqtt_str filters;
	struct mqtt_props props;
};

/**
 * struct mqtt_disconnect - DISCONNECT or AUTH
 * @reason: MQTT_RC_SUCCESS where a DISCONNECT does not say
 * @props: of the packet
 */
struct mqtt_disconnect {
	u8 reason;
	struct mqtt_props props;
};

/* decode.c: pure, any context */

/**
 * mqtt_decode_fixed() - read a fixed header
 * @buf: received bytes
 * @len: how many there are
 * @fixed: result
 *
 * Return: 1 when complete, 0 when more bytes are needed, -EBADMSG when the
 * remaining length takes more than four bytes or more bytes than necessary
 * [MQTT-1.5.5-1].
 */
int mqtt_decode_fixed(const u8 *buf, size_t len, struct mqtt_fixed *fixed);

/**
 * mqtt_decode_flags() - are the reserved flag bits as they must be
 * @fixed: a fixed header
 * @version: enum mqtt_version, 0 before CONNECT
 *
 * Return: 0 or MQTT_RC_MALFORMED_PACKET [MQTT-2.1.3-1]; a type of 0, or AUTH
 * with @version below 5, is malformed as well. PUBLISH with QoS 3 or (QoS 0
 * and DUP) is malformed [MQTT-3.3.1-4] [MQTT-3.3.1-2]. Of 3.1, PUBREL,
 * SUBSCRIBE and UNSUBSCRIBE may have DUP.
 */
u8 mqtt_decode_flags(const struct mqtt_fixed *fixed, u8 version);

/*
 * The bodies: @body/@len is what follows the fixed header, complete. Each
 * returns 0 or a reason code of 0x80 and above; on failure the result is not
 * to be used, except connect->version, which says in which format to answer
 * (0: not even that is known, just close). Strings are checked for UTF-8,
 * topic names for their form.
 *
 * mqtt_decode_connect() answers MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION for a
 * known protocol name with another level: @connect->version is then MQTT_V5
 * for a level above 5 and MQTT_V311 for any other, 0x83 and 0x84 (bridges)
 * included; for an unknown name it is 0. It does not judge the client
 * identifier. A will topic that is empty or has wildcards is
 * MQTT_RC_TOPIC_NAME_INVALID.
 *
 * mqtt_decode_publish(): wildcards in the topic are
 * MQTT_RC_TOPIC_NAME_INVALID, no topic and no alias MQTT_RC_PROTOCOL_ERROR.
 * Whether the payload is what its format says is not looked at. @known: its topic
 * is likely to be this one, which then is not looked at again; or NULL.
 *
 * mqtt_decode_subscribe() refuses empty filters, retain handling 3 and no
 * local on a shared subscription (MQTT_RC_PROTOCOL_ERROR), but leaves the form
 * of each filter to mqtt_topic_filter_valid() and mqtt_share_parse().
 */
u8 mqtt_decode_connect(const u8 *body, u32 len, struct mqtt_connect *connect);
u8 mqtt_decode_publish(const u8 *body, u32 len, u8 flags, u8 version,
		       const struct mqtt_known_topic *known,
		       struct mqtt_publish *publish);
u8 mqtt_decode_ack(const u8 *body, u32 len, u8 type, u8 version,
		   struct mqtt_ack *ack);
u8 mqtt_decode_subscribe(const u8 *body, u32 len, u8 version,
			 struct mqtt_subscribe *subscribe);
u8 mqtt_decode_unsubscribe(const u8 *body, u32 len, u8 version,
			   struct mqtt_subscribe *unsubscribe);
u8 mqtt_decode_disconnect(const u8 *body, u32 len, u8 version,
			  struct mqtt_disconnect *disconnect);
u8 mqtt_decode_auth(const u8 *body, u32 len, struct mqtt_disconnect *auth);

/**
 * mqtt_subscribe_next() - take the next topic filter
 * @filters: what is left of a decoded (so: checked) payload, advanced
 * @options: subscription options, or NULL for UNSUBSCRIBE
 * @filter: the filter, as on the wire (with $share/...)
 *
 * Return: false at the end.
 */
bool mqtt_subscribe_next(struct mqtt_str *filters, u8 *options,
			 struct mqtt_str *filter);

#endif
