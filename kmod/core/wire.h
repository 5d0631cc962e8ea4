/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading and writing the data types of MQTT (section 1.5).
 *
 * A reader is a struct mqtt_str that shrinks from its front. Nothing is read
 * past its end, whatever the bytes say: each getter says false where they do
 * not hold the value, and the reader is then not to be used any more.
 *
 * Writers do not check: an encoder measures first, compares with the room it
 * has, then writes. Each putter returns the byte behind what it wrote.
 *
 * Pure, any context.
 */
#ifndef MQTT_WIRE_H
#define MQTT_WIRE_H

#include <linux/string.h>
#include "mqtt.h"

static inline u16 mqtt_be16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static inline u32 mqtt_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

/* @n bytes off the front; the caller has checked that they are there */
static inline void mqtt_skip(struct mqtt_str *in, u32 n)
{
	in->data += n;
	in->len -= n;
}

static inline bool mqtt_get_u8(struct mqtt_str *in, u8 *value)
{
	if (!in->len)
		return false;
	*value = in->data[0];
	mqtt_skip(in, 1);
	return true;
}

static inline bool mqtt_get_u16(struct mqtt_str *in, u16 *value)
{
	if (in->len < 2)
		return false;
	*value = mqtt_be16(in->data);
	mqtt_skip(in, 2);
	return true;
}

static inline bool mqtt_get_u32(struct mqtt_str *in, u32 *value)
{
	if (in->len < 4)
		return false;
	*value = mqtt_be32(in->data);
	mqtt_skip(in, 4);
	return true;
}

/**
 * mqtt_get_varint() - read a variable byte integer
 * @in: reader
 * @value: result, at most MQTT_REMAINING_MAX
 *
 * Return: 1 when read, 0 when the bytes end before it does, -1 when it takes
 * more than four bytes or more than necessary [MQTT-1.5.5-1].
 */
static inline int mqtt_get_varint(struct mqtt_str *in, u32 *value)
{
	u32 i, sum = 0;

	for (i = 0; i < 4; i++) {
		if (i == in->len)
			return 0;
		sum |= (u32)(in->data[i] & 0x7f) << (7 * i);
		if (!(in->data[i] & 0x80))
			break;
	}
	if (i == 4 || (i && !in->data[i]))
		return -1;
	mqtt_skip(in, i + 1);
	*value = sum;
	return 1;
}

/* binary data, or a string whose characters the caller checks */
static inline bool mqtt_get_bytes(struct mqtt_str *in, struct mqtt_str *value)
{
	u16 len;

	if (!mqtt_get_u16(in, &len) || len > in->len)
		return false;
	value->data = in->data;
	value->len = len;
	mqtt_skip(in, len);
	return true;
}

/* bytes that @value takes as a variable byte integer */
static inline u32 mqtt_varint_len(u32 value)
{
	return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}

static inline u8 *mqtt_put_u8(u8 *p, u8 value)
{
	*p = value;
	return p + 1;
}

static inline u8 *mqtt_put_u16(u8 *p, u16 value)
{
	p[0] = value >> 8;
	p[1] = value & 0xff;
	return p + 2;
}

static inline u8 *mqtt_put_u32(u8 *p, u32 value)
{
	return mqtt_put_u16(mqtt_put_u16(p, value >> 16), value & 0xffff);
}

/* @value is at most MQTT_REMAINING_MAX */
static inline u8 *mqtt_put_varint(u8 *p, u32 value)
{
	for (; value >= 0x80; value >>= 7)
		*p++ = (value & 0x7f) | 0x80;
	*p++ = value;
	return p;
}

/* as they are, without a length */
static inline u8 *mqtt_put_raw(u8 *p, const struct mqtt_str *value)
{
	if (value->len)
		memcpy(p, value->data, value->len);
	return p + value->len;
}

/* a string or binary data; at most MQTT_STRING_MAX bytes */
static inline u8 *mqtt_put_bytes(u8 *p, const struct mqtt_str *value)
{
	return mqtt_put_raw(mqtt_put_u16(p, value->len), value);
}

#endif
