// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the fuzzers' first inputs: the unit tests' packets, their properties,
 * and some topics.
 *
 * usage: seeds DIR	(makes DIR/decode, DIR/property, DIR/topic)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <linux/kernel.h>
#include "any.h"
#include "bytes.h"
#include "packets.h"

static const char *top;

static void put(const char *target, u32 number, u8 first,
		const struct mqtt_str *s)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/%03u", top, target, number);
	file = fopen(path, "wb");
	if (!file || fputc(first, file) == EOF ||
	    fwrite(s->data, 1, s->len, file) != s->len || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void make_directory(const char *target)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", top, target);
	mkdir(path, 0777);
}

static void put_properties(u32 number, const struct any *any)
{
	switch (any->type) {
	case MQTT_CONNECT:
		put("property", number, MQTT_CONNECT, &any->connect.props.raw);
		put("property", number + 500, 0, &any->connect.will_props.raw);
		break;
	case MQTT_PUBLISH:
		put("property", number, MQTT_PUBLISH, &any->publish.props.raw);
		break;
	case MQTT_SUBSCRIBE:
		put("property", number, any->type, &any->subscribe.props.raw);
		break;
	case MQTT_DISCONNECT:
	case MQTT_AUTH:
		put("property", number, any->type, &any->disconnect.props.raw);
		break;
	}
}

int main(int argc, char **argv)
{
	static const char * const topics[] = {
		"'a/+/#' 00 '+/b/c' 00 'a/b/c'", "'#' 00 '$SYS/#' 00 '$SYS/x'",
		"'$share/g/a/#' 00 '/#' 00 '/'", "'+/+' 00 '/+' 00 '/x'",
	};
	const struct packet_case *c;
	struct mqtt_str s;
	struct any any;
	u32 i;

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIR\n", argv[0]);
		return 2;
	}
	top = argv[1];
	mkdir(top, 0777);
	make_directory("decode");
	make_directory("property");
	make_directory("topic");
	for (i = 0; i < nr_packet_cases; i++) {
		c = &packet_cases[i];
		s = bytes(c->text);
		/* version 3, 4 or 5 (CONNECT: any) is 0, 1 or 2 there */
		put("decode", i, c->version ? c->version - MQTT_V31 : 2, &s);
		if (!any_decode(&s, c->version, &any))
			put_properties(i, &any);
		bytes_free(&s);
	}
	for (i = 0; i < ARRAY_SIZE(topics); i++) {
		s = bytes(topics[i]);
		put("topic", i, 'a', &s);
		bytes_free(&s);
	}
	return 0;
}
