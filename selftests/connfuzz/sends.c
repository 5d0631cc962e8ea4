// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <linux/kernel.h>
#include "sends.h"
#include "bytes.h"
#include "packets.h"

#define ROOM	(512 * 1024)

static u8 buf[ROOM], *at;
static u32 serial;

static const char * const names[] = { "a", "b", "client-c", "" };
static const char * const topics[] = {
	"t", "t/a", "t/b", "a/b/c/d", "$x", "x/long/topic/that/earns/an/alias",
	"", "t/+",
};
static const char * const filters[] = {
	"t", "t/+", "#", "+/+", "t/#", "$share/g/t", "$share/g/#", "a/+/c/#",
	"a/#/b", "$share/h/t/+", "$x", "+", "x/#", "t/a", "$share//t", "/",
};

const char *client_name(u8 which)
{
	return names[which % ARRAY_SIZE(names)];
}

const char *filter_name(u8 which)
{
	return filters[which % ARRAY_SIZE(filters)];
}

void packets_reset(void)
{
	serial = 0;
}

static void put8(u8 value)
{
	*at++ = value;
}

static void put16(u16 value)
{
	put8(value >> 8);
	put8(value);
}

static void put32(u32 value)
{
	put16(value >> 16);
	put16(value);
}

static void put_bytes(const void *data, u32 len)
{
	memcpy(at, data, len);
	at += len;
}

static void put_str(const char *text)
{
	put16(strlen(text));
	put_bytes(text, strlen(text));
}

static u8 *put_varint(u8 *to, u32 value)
{
	do {
		*to++ = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
		value >>= 7;
	} while (value);
	return to;
}

/* Bodies begin behind the room for the longest fixed header. */
static void packet_begin(void)
{
	at = buf + 5;
}

static struct packet packet_end(u8 first)
{
	u32 len = at - (buf + 5), head;
	u8 fixed[5];

	fixed[0] = first;
	head = put_varint(fixed + 1, len) - fixed;
	memcpy(buf + 5 - head, fixed, head);
	return (struct packet){ buf + 5 - head, head + len };
}

/* A block with a length before it, which is known at its end. */
static u8 *props_begin(void)
{
	put8(0);
	return at;
}

static void props_end(u8 *begin)
{
	begin[-1] = at - begin;
}

static void put_prop32(u8 id, u32 value)
{
	put8(id);
	put32(value);
}

static void put_prop16(u8 id, u16 value)
{
	put8(id);
	put16(value);
}

static void put_connect_props(const struct args *args)
{
	static const u16 receive[] = { 0, 1, 2, 10 };
	static const u32 sizes[] = { 0, 24, 60, 400 };
	static const u32 expiry[] = { 0, 2, 600, 0xffffffff };
	u8 *begin = props_begin();

	if (receive[args->c & 3])
		put_prop16(0x21, receive[args->c & 3]);
	if (sizes[args->c >> 2 & 3])
		put_prop32(0x27, sizes[args->c >> 2 & 3]);
	if (args->c & 0x10)
		put_prop16(0x22, 5);
	if (expiry[args->c >> 5 & 3])
		put_prop32(0x11, expiry[args->c >> 5 & 3]);
	if (args->c & 0x80) {
		put8(0x15);
		put_str("SCRAM");
		put8(0x16);
		put_str("proof");
	}
	props_end(begin);
}

/* Letters, so that it is UTF-8 as well. */
static void put_serial(void)
{
	u32 i;

	serial++;
	for (i = 0; i < 4; i++)
		put8('a' + (serial >> (4 * i) & 15));
}

static void put_will(const struct args *args, u8 version)
{
	static const char * const wills[] = { "t", "w/gone" };
	u8 *begin;

	if (version == 5) {
		begin = props_begin();
		if (args->b & 0x40)
			put_prop32(0x18, 3);
		if (args->b & 0x80)
			put_prop32(0x02, 4);
		props_end(begin);
	}
	put_str(wills[args->b >> 6 & 1]);
	put16(4);
	put_serial();
}

/*
 * a: version, clean start, will with its QoS and RETAIN; b: client identifier,
 * keep alive, user name, will's properties; c: properties
 */
struct packet packet_connect(const struct args *args)
{
	static const u8 versions[] = { 5, 5, 4, 3 };
	static const u16 keep_alive[] = { 0, 1, 60, 65535 };
	u8 version = versions[args->a & 3], flags = 0;
	u8 user = args->b >> 4 & 3;

	if (args->a & 4)
		flags |= 0x02;
	if (args->a & 8)
		flags |= 0x04 | (args->a >> 4 & 3) << 3 | (args->a & 0x40) >> 1;
	if (user)
		flags |= user == 3 ? 0xc0 : 0x80;
	packet_begin();
	put_str(version == 3 ? "MQIsdp" : "MQTT");
	put8(version);
	put8(flags);
	put16(keep_alive[args->b >> 2 & 3]);
	if (version == 5)
		put_connect_props(args);
	put_str(client_name(args->b));
	if (flags & 4)
		put_will(args, version);
	if (flags & 0x80)
		put_str(user == 2 ? "u2" : "u1");
	if (flags & 0x40)
		put_str("secret");
	return packet_end(0x10);
}

static void put_publish_props(const struct args *args)
{
	u8 *begin = props_begin(), alias = args->c & 3;

	if (alias)
		put_prop16(0x23, alias == 3 ? 1 : alias);
	if (args->c & 0x08)
		put_prop32(0x02, args->c & 0x10 ? 1 : 100);
	if (args->c & 0x20) {
		put8(0x01);
		put8(1);
	}
	if (args->c & 0x40) {
		put8(0x26);
		put_str("key");
		put_str("value");
	}
	if (args->c & 0x80) {
		put8(0x08);
		put_str("t/answer");
		put8(0x09);
		put_str("42");
	}
	props_end(begin);
}

/* Each payload is another one, up to its size. */
static void put_payload(u8 class)
{
	static const u32 sizes[] = { 0, 1, 12, 100, 505, 520, 1400, 4090,
				     5000, 9000, 20000, 70000, 16, 140000,
				     40, 300000 };
	u32 size = sizes[class & 15];
	u8 *begin = at;

	memset(at, class == 12 ? 0xff : 'x', size);
	put_serial();
	at = begin + size;
}

/*
 * a: topic, QoS, RETAIN, DUP; b: packet identifier, payload; c: properties,
 * and 4: a topic of nine thousand bytes
 */
struct packet packet_publish(const struct args *args, u8 version)
{
	u8 flags = (args->a >> 4 & 3) << 1 | (args->a >> 6 & 1) |
		   (args->a >> 7) << 3;

	packet_begin();
	if (version == 5 && (args->c & 3) == 3) {
		put_str("");
	} else if ((args->c & 7) == 4) {
		put16(9000);
		memset(at, 'T', 9000);
		at += 9000;
	} else {
		put_str(topics[args->a & 7]);
	}
	if (flags & 6)
		put16((args->b >> 4) + 1);
	if (version == 5)
		put_publish_props(args);
	put_payload(args->b);
	return packet_end(0x30 | flags);
}

/*
 * a: filter, packet identifier; b: options; c: how many filters more, a
 * subscription identifier
 */
struct packet packet_subscribe(const struct args *args, u8 version, u8 type)
{
	u32 more = args->c & 3, i;
	u8 *begin;

	/* More than are answered without an allocation. */
	if (more == 3)
		more = 40;
	packet_begin();
	put16((args->a >> 4) + 1);
	if (version == 5) {
		begin = props_begin();
		if (type == 8 && args->c & 0x1c) {
			put8(0x0b);
			put8(args->c >> 2 & 7);
		}
		props_end(begin);
	}
	for (i = 0; i <= more; i++) {
		put_str(filter_name((args->a & 15) + i));
		if (type == 8)
			put8(version == 5 ? args->b : args->b & 3);
	}
	return packet_end(type << 4 | 2);
}

struct packet packet_ack(u8 type, u16 id, u8 reason, u8 version)
{
	packet_begin();
	put16(id);
	if (reason && version == 5)
		put8(reason);
	return packet_end(type << 4 | (type == 6 ? 2 : 0));
}

/* a: reason, b: session expiry */
struct packet packet_disconnect(const struct args *args, u8 version)
{
	static const u8 reasons[] = { 0x00, 0x04, 0x80, 0x01 };
	u8 *begin;

	packet_begin();
	if (version == 5 && args->a & 7) {
		put8(reasons[args->a & 3]);
		begin = props_begin();
		if (args->b & 1)
			put_prop32(0x11, args->b >> 1);
		props_end(begin);
	}
	return packet_end(0xe0);
}

/* a: reason, b: method, data */
struct packet packet_auth(const struct args *args)
{
	u8 *begin;

	packet_begin();
	put8(args->a & 1 ? 0x19 : 0x18);
	begin = props_begin();
	put8(0x15);
	put_str(args->b & 1 ? "other" : "SCRAM");
	if (args->b & 2) {
		put8(0x16);
		put_str("more proof");
	}
	props_end(begin);
	return packet_end(0xf0);
}

struct packet packet_ping(void)
{
	packet_begin();
	return packet_end(0xc0);
}

struct packet packet_case_at(const struct args *args)
{
	u32 which = (args->a | args->b << 8) % nr_packet_cases;
	struct mqtt_str block = bytes(packet_cases[which].text);
	struct packet packet = { buf, block.len };

	memcpy(buf, block.data, block.len);
	bytes_free(&block);
	return packet;
}
