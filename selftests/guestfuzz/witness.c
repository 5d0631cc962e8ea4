// SPDX-License-Identifier: GPL-2.0
#include "witness.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../unit/bytes.h"
#include "run.h"
#include "slot.h"

enum {
	CONNACK = 2, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK = 9,
	PINGRESP = 13,
};

#define PACKET_MAX	256

static int complain(struct witness *w, const char *what)
{
	run_fail("a client that does nothing wrong (MQTT %d): %s", w->version,
		 what);
	witness_end(w);
	return -1;
}

static int say_bytes(struct witness *w, const void *data, size_t len)
{
	if (w->fd < 0)
		return -1;
	if (send(w->fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
		return complain(w, strerror(errno));
	return 0;
}

static int say(struct witness *w, const char *text)
{
	struct mqtt_str packet = bytes(text);
	int ret = say_bytes(w, packet.data, packet.len);

	bytes_free(&packet);
	return ret;
}

/* Exactly @len bytes within the limit. */
static int hear(struct witness *w, uint8_t *buf, size_t len)
{
	struct pollfd fd = { .fd = w->fd, .events = POLLIN };
	double until = run_now() + run.limit;
	size_t done = 0;
	ssize_t got;

	while (done < len) {
		if (run_now() > until)
			return complain(w, "no answer");
		if (poll(&fd, 1, 1000) <= 0)
			continue;
		got = recv(w->fd, buf + done, len - done, 0);
		if (got < 0 && errno == EAGAIN)
			continue;
		if (got <= 0)
			return complain(w, "its connection was closed");
		done += got;
	}
	return 0;
}

/* The next packet. Return: its type, or -1. */
static int hear_packet(struct witness *w, uint8_t *buf)
{
	if (hear(w, buf, 2))
		return -1;
	if (buf[1] > 127)
		return complain(w, "a longer packet than any that is due");
	if (hear(w, buf + 2, buf[1]))
		return -1;
	return buf[0] >> 4;
}

static int expect(struct witness *w, int type)
{
	uint8_t buf[PACKET_MAX];
	int got = hear_packet(w, buf);

	if (got >= 0 && got != type)
		return complain(w, "another packet than is due");
	return got < 0 ? -1 : 0;
}

int witness_begin(struct witness *w, uint16_t port, int version,
		  const char *name)
{
	const char *props = version == 5 ? "[]" : "";
	char text[128];

	w->version = version;
	w->fd = slots_connect(port);
	if (w->fd < 0)
		return complain(w, "no connection");
	snprintf(text, sizeof(text), "10 [ S'MQTT' %02x 02 0000 %s S'%s' ]",
		 version, props, name);
	if (say(w, text) || expect(w, CONNACK))
		return -1;
	snprintf(w->topic, sizeof(w->topic), "S'witness/%s'", name);
	snprintf(text, sizeof(text), "82 [ 0001 %s %s 02 ]", props, w->topic);
	return say(w, text) ?: expect(w, SUBACK);
}

/* What a client does with a packet: acknowledge it. */
static int react(struct witness *w, int type, const uint8_t *buf)
{
	static const uint8_t reply_to[16] = {
		[PUBREC] = PUBREL << 4 | 2, [PUBREL] = PUBCOMP << 4,
	};
	uint8_t reply[4] = { reply_to[type], 2, buf[2], buf[3] };
	const uint8_t *id;

	if (type == PUBLISH && buf[0] & 6) {
		id = buf + 4 + buf[3];
		reply[0] = buf[0] & 2 ? PUBACK << 4 : PUBREC << 4;
		reply[2] = id[0];
		reply[3] = id[1];
	} else if (!reply[0]) {
		return 0;
	}
	return say_bytes(w, reply, sizeof(reply));
}

/* One message to itself; what must come is counted down. */
static int round_trip(struct witness *w, int qos)
{
	static const uint8_t due[3][16] = {
		{ [PUBLISH] = 1 },
		{ [PUBLISH] = 1, [PUBACK] = 1 },
		{ [PUBLISH] = 1, [PUBREC] = 1, [PUBREL] = 1, [PUBCOMP] = 1 },
	};
	uint8_t buf[PACKET_MAX], left[16];
	char text[160];
	int type, more;

	memcpy(left, due[qos], sizeof(left));
	snprintf(text, sizeof(text), "3%d [ %s %s %s 'hello' ]", qos << 1,
		 w->topic, qos ? "0001" : "", w->version == 5 ? "[]" : "");
	if (say(w, text))
		return -1;
	do {
		type = hear_packet(w, buf);
		if (type < 0)
			return -1;
		if (!left[type]--)
			return complain(w, "a packet that is not due");
		if (react(w, type, buf))
			return -1;
		for (more = 0, type = 0; type < 16; type++)
			more += left[type];
	} while (more);
	return 0;
}

int witness_check(struct witness *w)
{
	int qos;

	for (qos = 0; qos < 3; qos++)
		if (round_trip(w, qos))
			return -1;
	/* Then the broker has read its last acknowledgement, too. */
	return say(w, "c0 [ ]") ?: expect(w, PINGRESP);
}

void witness_end(struct witness *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}
