/* SPDX-License-Identifier: GPL-2.0 */
/* As much of MQTT as a load generator needs: its packets out and in. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** enum wire_type - control packet types, as in the upper half of byte 1 */
enum wire_type {
	WIRE_CONNECT = 1,
	WIRE_CONNACK,
	WIRE_PUBLISH,
	WIRE_PUBACK,
	WIRE_PUBREC,
	WIRE_PUBREL,
	WIRE_PUBCOMP,
	WIRE_SUBSCRIBE,
	WIRE_SUBACK,
	WIRE_UNSUBSCRIBE,
	WIRE_UNSUBACK,
	WIRE_PINGREQ,
	WIRE_PINGRESP,
	WIRE_DISCONNECT,
};

/** struct wire_buf - bytes to send; grows, the program ends without memory */
struct wire_buf {
	uint8_t *data;
	size_t len;
	size_t room;
};

/** struct wire_packet - one packet received; points into the receive buffer */
struct wire_packet {
	uint8_t type;
	uint8_t flags;
	const uint8_t *body;
	size_t len;
};

/** struct wire_publish - a PUBLISH taken apart; points into the packet */
struct wire_publish {
	uint8_t qos;
	uint8_t dup;
	uint8_t retain;
	uint16_t id;
	const uint8_t *topic;
	size_t topic_len;
	const uint8_t *payload;
	size_t payload_len;
};

/**
 * struct wire_login - what else a CONNECT may say; each may be NULL
 * @name: user name
 * @password: needs a name before MQTT 5.0
 * @will: topic of its will
 * @will_qos: of it
 */
struct wire_login {
	const char *name;
	const char *password;
	const char *will;
	unsigned int will_qos;
};

void wire_put(struct wire_buf *buf, const void *data, size_t len);

/* @version is 3 (MQTT 3.1), 4 (3.1.1) or 5 in all of these. */
void wire_connect(struct wire_buf *buf, int version, const char *id,
		  unsigned int keep_alive, bool keep_session);
void wire_connect_as(struct wire_buf *buf, int version, const char *id,
		     unsigned int keep_alive, bool keep_session,
		     const struct wire_login *login);
void wire_subscribe(struct wire_buf *buf, int version, uint16_t id,
		    char *const *filters, unsigned int nr, int qos);
/* @flags: QoS << 1, and whether it is to be retained */
#define WIRE_RETAIN	1
void wire_publish(struct wire_buf *buf, int version, int flags, uint16_t id,
		  const char *topic, const void *payload, size_t len);
void wire_ack(struct wire_buf *buf, enum wire_type type, uint16_t id);
void wire_disconnect(struct wire_buf *buf);

/*
 * The packet at the start of @data: its length with the fixed header, 0 if it
 * is not complete, -1 if no packet begins like this.
 */
ssize_t wire_next(const uint8_t *data, size_t len, struct wire_packet *pkt);

/* 0, or -1 if it is malformed. */
int wire_parse_publish(const struct wire_packet *pkt, int version,
		       struct wire_publish *pub);

/* The packet identifier of an acknowledgment; 0 if there is none. */
uint16_t wire_id(const struct wire_packet *pkt);

/*
 * 0 if the acknowledgment, CONNACK or SUBACK (all its codes) means success,
 * else the code that does not.
 */
int wire_reason(const struct wire_packet *pkt, int version);

#endif /* BENCH_WIRE_H */
