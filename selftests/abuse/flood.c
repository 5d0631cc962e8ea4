// SPDX-License-Identifier: GPL-2.0
/*
 * What the abuse tests need in numbers that an interpreter in an emulated
 * machine is too slow for. One mode, one line of "NAME VALUE ..." on stdout.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../bench/wire.h"

static const char usage[] =
"usage: flood PORT MODE ARGUMENT...\n"
"  subscribe CLIENTS FILTERS PREFIX\n"
"	each of CLIENTS subscribes to the same FILTERS topics below PREFIX;\n"
"	they stay until the end of stdin\n"
"  retain MESSAGES BYTES PREFIX\n"
"	a retained message of so many bytes for each topic below PREFIX\n"
"  message BYTES TOPIC\n"
"	one PUBLISH packet of BYTES in all, to a subscriber that compares\n"
"  unacknowledged MESSAGES WINDOW TOPIC\n"
"	QoS 1 to a subscriber that acknowledges when WINDOW have come, and\n"
"	sees that no more do\n";

#define FILTERS_AT_ONCE	1000
#define ROOM		(1 << 20)
/* A period that no power of two divides: nothing falls into its place by luck. */
#define PATTERN		999983

/** struct link - a client; its socket blocks */
struct link {
	int fd;
	uint8_t *in;
	size_t len;
	size_t used;
};

static int port;
static unsigned int serial;
/* Who waits for what we publish, in a process of its own. */
static pid_t waiting;

static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "flood: ");
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	if (waiting)
		kill(waiting, SIGTERM);
	exit(1);
}

static void *need(void *memory)
{
	if (!memory)
		fail("no memory");
	return memory;
}

static void put(struct link *link, const void *data, size_t len)
{
	ssize_t n;

	for (; len; data = (const char *)data + n, len -= n) {
		n = send(link->fd, data, len, MSG_NOSIGNAL);
		if (n < 0)
			fail("send: %s", strerror(errno));
	}
}

static void put_buf(struct link *link, struct wire_buf *buf)
{
	put(link, buf->data, buf->len);
	buf->len = 0;
}

/* More bytes behind those that are there. False: the connection has ended. */
static bool fill(struct link *link)
{
	ssize_t n;

	memmove(link->in, link->in + link->used, link->len - link->used);
	link->len -= link->used;
	link->used = 0;
	if (link->len == ROOM)
		fail("a packet of more than %d bytes", ROOM);
	n = recv(link->fd, link->in + link->len, ROOM - link->len, 0);
	if (n < 0)
		fail("receive: %s", strerror(errno));
	link->len += n;
	return n;
}

/* The next whole packet; it stays until the next call. */
static struct wire_packet get(struct link *link)
{
	struct wire_packet pkt;
	ssize_t n;

	while (!(n = wire_next(link->in + link->used, link->len - link->used,
			       &pkt)))
		if (!fill(link))
			fail("the broker has closed the connection");
	if (n < 0)
		fail("what came is no packet");
	link->used += n;
	return pkt;
}

static struct wire_packet await(struct link *link, enum wire_type type)
{
	struct wire_packet pkt = get(link);

	if (pkt.type != type)
		fail("type %d came, not %d; it begins with 0x%02x", pkt.type,
		     type, pkt.len ? pkt.body[0] : 0);
	return pkt;
}

static struct link join(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	struct timeval patience = { .tv_sec = 900 };
	struct wire_packet pkt;
	struct wire_buf buf = {};
	struct link link = {};
	char id[32];

	link.in = need(malloc(ROOM));
	link.fd = socket(AF_INET, SOCK_STREAM, 0);
	if (link.fd < 0 || connect(link.fd, (void *)&to, sizeof(to)))
		fail("connect: %s", strerror(errno));
	setsockopt(link.fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	snprintf(id, sizeof(id), "flood-%d-%u", (int)getpid(), serial++);
	wire_connect(&buf, 5, id, 0, false);
	put_buf(&link, &buf);
	free(buf.data);
	pkt = await(&link, WIRE_CONNACK);
	if (wire_reason(&pkt, 5))
		fail("CONNACK 0x%02x", wire_reason(&pkt, 5));
	return link;
}

/* All that was sent before it is done with when the answer comes. */
static void barrier(struct link *link)
{
	static const uint8_t ping[] = { WIRE_PINGREQ << 4, 0 };

	put(link, ping, sizeof(ping));
	await(link, WIRE_PINGRESP);
}

static void wait_for_end_of_input(void)
{
	char buf[64];

	while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
		;
}

static void subscribe_one(struct link *link, char **topics, unsigned int nr,
			  unsigned long *granted, unsigned long *refused)
{
	struct wire_packet pkt;
	struct wire_buf buf = {};
	size_t i;

	wire_subscribe(&buf, 5, 1, topics, nr, 0);
	put_buf(link, &buf);
	free(buf.data);
	pkt = await(link, WIRE_SUBACK);
	/* Identifier, no properties, a code for each. */
	if (pkt.len != 3 + nr || pkt.body[2])
		fail("SUBACK of %zu bytes for %u filters", pkt.len, nr);
	for (i = 3; i < pkt.len; i++) {
		if (!pkt.body[i])
			++*granted;
		else if (pkt.body[i] == 0x97)
			++*refused;
		else
			fail("SUBACK has 0x%02x", pkt.body[i]);
	}
}

static int mode_subscribe(unsigned int clients, unsigned int filters,
			  const char *prefix)
{
	unsigned long granted = 0, refused = 0;
	unsigned int i, done, nr;
	char **topics;

	topics = need(calloc(filters, sizeof(*topics)));
	for (i = 0; i < filters; i++)
		if (asprintf(&topics[i], "%s/%u", prefix, i) < 0)
			fail("no memory");
	for (i = 0; i < clients; i++) {
		struct link link = join();

		for (done = 0; done < filters; done += nr) {
			nr = filters - done;
			if (nr > FILTERS_AT_ONCE)
				nr = FILTERS_AT_ONCE;
			subscribe_one(&link, topics + done, nr, &granted,
				      &refused);
		}
	}
	printf("granted %lu refused %lu\n", granted, refused);
	fflush(stdout);
	wait_for_end_of_input();
	return 0;
}

static int mode_retain(unsigned int messages, unsigned int bytes,
		       const char *prefix)
{
	uint8_t *payload = need(malloc(bytes + 1));
	struct link link = join();
	struct wire_buf buf = {};
	char topic[256];
	unsigned int i;

	memset(payload, 'r', bytes);
	for (i = 0; i < messages; i++) {
		snprintf(topic, sizeof(topic), "%s/%u", prefix, i);
		wire_publish(&buf, 5, WIRE_RETAIN, 0, topic, payload, bytes);
		if (buf.len > 65536)
			put_buf(&link, &buf);
	}
	put_buf(&link, &buf);
	barrier(&link);
	printf("sent %u\n", messages);
	return 0;
}

static uint8_t *pattern(void)
{
	uint8_t *bytes = need(malloc(PATTERN));
	uint32_t value = 1;
	size_t i;

	for (i = 0; i < PATTERN; i++) {
		value = value * 1664525 + 1013904223;
		bytes[i] = value >> 24;
	}
	return bytes;
}

/* The head of a PUBLISH of @bytes in all; gives the bytes of payload. */
static size_t put_head(struct link *link, size_t bytes, const char *topic)
{
	size_t remaining, len = strlen(topic), left;
	uint8_t head[8] = { WIRE_PUBLISH << 4 };
	unsigned int at;

	for (at = 1, remaining = bytes - 2; remaining >> (7 * at); at++)
		remaining = bytes - 2 - at;
	for (left = remaining, at = 1; at == 1 || left; at++, left >>= 7)
		head[at] = (left & 0x7f) | (left > 0x7f ? 0x80 : 0);
	head[at] = len >> 8;
	head[at + 1] = len;
	put(link, head, at + 2);
	put(link, topic, len);
	put(link, "", 1);	/* no properties */
	return remaining - 2 - len - 1;
}

static void publish_pattern(size_t bytes, const char *topic)
{
	const uint8_t *data = pattern();
	struct link link = join();
	size_t left, n;

	for (left = put_head(&link, bytes, topic); left; left -= n) {
		n = left < PATTERN ? left : PATTERN;
		put(&link, data, n);
	}
	barrier(&link);
}

/* Compares what comes behind the head with the pattern; gives its length. */
static size_t compare(struct link *link, size_t payload)
{
	const uint8_t *data = pattern();
	size_t at, n, part;

	for (at = 0; at < payload; at += n) {
		if (link->used == link->len && !fill(link))
			fail("the connection ends after %zu bytes", at);
		n = link->len - link->used;
		part = PATTERN - at % PATTERN;
		n = n < part ? n : part;
		n = n < payload - at ? n : payload - at;
		if (memcmp(link->in + link->used, data + at % PATTERN, n))
			fail("other bytes between %zu and %zu", at, at + n);
		link->used += n;
	}
	return at;
}

/* Reads fixed header, topic and properties; gives the payload's length. */
static size_t get_head(struct link *link, const char *topic)
{
	size_t remaining = 0, at = 1, len = strlen(topic);
	const uint8_t *head;

	while (link->len - link->used < 8 + len)
		if (!fill(link))
			fail("the connection ends, nothing was delivered");
	head = link->in + link->used;
	if (head[0] != WIRE_PUBLISH << 4)
		fail("0x%02x came, not the message", head[0]);
	do {
		remaining |= (size_t)(head[at] & 0x7f) << (7 * (at - 1));
	} while (head[at++] & 0x80);
	if (memcmp(head + at + 2, topic, len) || head[at + 2 + len])
		fail("another topic, or properties, came");
	link->used += at + 2 + len + 1;
	return remaining - 2 - len - 1;
}

static int mode_message(size_t bytes, const char *topic)
{
	unsigned long granted = 0, refused = 0;
	struct link link = join();
	char *filter = (char *)topic;
	int status;
	pid_t pid;

	subscribe_one(&link, &filter, 1, &granted, &refused);
	pid = fork();
	if (!pid) {
		waiting = getppid();
		publish_pattern(bytes, topic);
		exit(0);
	}
	printf("payload %zu\n", compare(&link, get_head(&link, topic)));
	if (waitpid(pid, &status, 0) != pid || status)
		fail("the publisher has failed");
	return 0;
}

static void publish_numbers(struct link *link, unsigned int messages,
			    const char *topic)
{
	struct wire_buf buf = {};
	char text[16];
	unsigned int i;

	/* Its own window: the broker's receive maximum is 1000 or more. */
	for (i = 1; i <= messages; i++) {
		snprintf(text, sizeof(text), "%u", i);
		wire_publish(&buf, 5, 1 << 1, (i - 1) % 500 + 1, topic, text,
			     strlen(text));
		if (i % 500 && i != messages)
			continue;
		put_buf(link, &buf);
		for (unsigned int k = (i - 1) % 500 + 1; k; k--)
			await(link, WIRE_PUBACK);
	}
}

/* The message with this number; its identifier must not be in use. */
static uint16_t take(struct link *link, unsigned int number, uint8_t *seen)
{
	struct wire_packet pkt = await(link, WIRE_PUBLISH);
	struct wire_publish pub;
	char text[16];
	int len;

	if (wire_parse_publish(&pkt, 5, &pub))
		fail("message %u is malformed", number);
	len = snprintf(text, sizeof(text), "%u", number);
	if (pub.payload_len != (size_t)len ||
	    memcmp(pub.payload, text, len))
		fail("message %u is not the next", number);
	if (!pub.id || seen[pub.id])
		fail("identifier %u is in use", pub.id);
	seen[pub.id] = 1;
	return pub.id;
}

static int mode_unacknowledged(unsigned int messages, unsigned int window,
			       char *topic)
{
	uint16_t *ids = need(calloc(window, sizeof(*ids)));
	struct link sub = join(), pub = join();
	struct wire_buf buf = {}, request = {};
	unsigned int next, i, nr, rounds = 0;
	uint8_t *seen = need(calloc(1, 65536));
	struct wire_packet pkt;

	wire_subscribe(&request, 5, 1, &topic, 1, 1);
	put_buf(&sub, &request);
	pkt = await(&sub, WIRE_SUBACK);
	if (wire_reason(&pkt, 5))
		fail("SUBACK 0x%02x", wire_reason(&pkt, 5));
	publish_numbers(&pub, messages, topic);
	for (next = 1; next <= messages; next += nr, rounds++) {
		nr = messages + 1 - next < window ? messages + 1 - next :
						    window;
		for (i = 0; i < nr; i++)
			ids[i] = take(&sub, next + i, seen);
		/* No identifier is left, or no message: nothing more comes. */
		barrier(&sub);
		for (i = 0; i < nr; i++) {
			wire_ack(&buf, WIRE_PUBACK, ids[i]);
			seen[ids[i]] = 0;
		}
		put_buf(&sub, &buf);
	}
	printf("rounds %u received %u\n", rounds, next - 1);
	return 0;
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end)
		fail("'%s' is no number", text);
	return value;
}

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };

	setrlimit(RLIMIT_NOFILE, &files);
	if (argc > 2)
		port = number(argv[1]);
	if (argc == 6 && !strcmp(argv[2], "subscribe"))
		return mode_subscribe(number(argv[3]), number(argv[4]),
				      argv[5]);
	if (argc == 6 && !strcmp(argv[2], "retain"))
		return mode_retain(number(argv[3]), number(argv[4]), argv[5]);
	if (argc == 5 && !strcmp(argv[2], "message"))
		return mode_message(number(argv[3]), argv[4]);
	if (argc == 6 && !strcmp(argv[2], "unacknowledged"))
		return mode_unacknowledged(number(argv[3]), number(argv[4]),
					   argv[5]);
	fputs(usage, stderr);
	return 2;
}
