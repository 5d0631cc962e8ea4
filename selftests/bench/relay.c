// SPDX-License-Identifier: GPL-2.0
/*
 * The least a broker in user space can do: what comes from a publisher goes to
 * all who subscribed to that very topic, which is looked up once for each
 * publisher. No sessions, no matching, no queues; it blocks where a subscriber
 * does not read. A bound to measure brokers against.
 *
 * usage: relay PORT [batched] [lose|double|swap|spoil]
 *
 * Prints the port when it serves; PORT 0: any that is free.
 *
 * Each message is sent to each subscriber by a send() of its own; batched: all
 * that has come since the last epoll_wait(), from whomever, goes to a subscriber
 * in one send(). The faults, once in a hundred messages, are for the test of the
 * load generator.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "wire.h"

#define READ_SIZE	65536
#define EVENTS		256
#define FAULT_EVERY	100

/**
 * struct topic - one that somebody has subscribed to or publishes
 * @due: it is among those to be sent at the end of this round
 * @fan: PUBLISHes read, in a row
 */
struct topic {
	char *name;
	size_t len;
	struct client **subscribers;
	unsigned int nr_subscribers;
	bool due;
	struct wire_buf fan;
};

/** struct client - a connection */
struct client {
	int fd;
	int version;
	struct topic *publishes;	/* the one it published last */
	struct topic *subscribed;	/* a client has one at most */
	struct wire_buf rest;	/* the beginning of a packet */
	struct wire_buf out;	/* answers to what was read */
};

static struct topic **topics;
static unsigned int nr_topics;
static struct topic **due;	/* room for all topics */
static unsigned int nr_due;
static bool batched;
static const char *fault = "";
static unsigned int published;

static void send_all(int fd, const struct wire_buf *buf)
{
	size_t at = 0;
	ssize_t n;

	while (at < buf->len) {
		n = send(fd, buf->data + at, buf->len - at, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		at += n;
	}
}

static void *more_room(void *array, size_t nr)
{
	array = realloc(array, nr * sizeof(void *));
	if (!array) {
		perror("relay");
		exit(1);
	}
	return array;
}

static bool is_topic(const struct topic *topic, const uint8_t *name, size_t len)
{
	return topic && topic->len == len && !memcmp(topic->name, name, len);
}

static struct topic *find_topic(const uint8_t *name, size_t len)
{
	struct topic *topic;
	unsigned int i;

	for (i = 0; i < nr_topics; i++)
		if (is_topic(topics[i], name, len))
			return topics[i];
	topic = calloc(1, sizeof(*topic));
	topic->name = strndup((const char *)name, len);
	topic->len = len;
	topics = more_room(topics, nr_topics + 1);
	due = more_room(due, nr_topics + 1);
	topics[nr_topics++] = topic;
	return topic;
}

static void fan_out(struct topic *topic)
{
	unsigned int i;

	for (i = 0; i < topic->nr_subscribers; i++)
		send_all(topic->subscribers[i]->fd, &topic->fan);
	topic->fan.len = 0;
}

static void fan_out_due(void)
{
	unsigned int i;

	for (i = 0; i < nr_due; i++) {
		due[i]->due = false;
		fan_out(due[i]);
	}
	nr_due = 0;
}

/* The first filter of each client only, and it is taken for a topic. */
static void subscribe(struct client *client, const struct wire_packet *pkt)
{
	uint8_t ack[] = { WIRE_SUBACK << 4, 3, pkt->body[0], pkt->body[1], 2 };
	uint8_t ack5[] = { WIRE_SUBACK << 4, 4, pkt->body[0], pkt->body[1], 0,
			   2 };
	const uint8_t *at = pkt->body + 2 + (client->version == 5);
	struct topic *topic;

	if (client->version == 5)
		wire_put(&client->out, ack5, sizeof(ack5));
	else
		wire_put(&client->out, ack, sizeof(ack));
	if (client->subscribed)
		return;
	topic = find_topic(at + 2, at[0] << 8 | at[1]);
	topic->subscribers = more_room(topic->subscribers,
				       topic->nr_subscribers + 1);
	topic->subscribers[topic->nr_subscribers++] = client;
	client->subscribed = topic;
}

static void accept_connect(struct client *client, const struct wire_packet *pkt)
{
	static const uint8_t ack[] = { WIRE_CONNACK << 4, 2, 0, 0 };
	static const uint8_t ack5[] = { WIRE_CONNACK << 4, 3, 0, 0, 0 };

	client->version = pkt->body[2 + pkt->body[1]];
	if (client->version == 5)
		wire_put(&client->out, ack5, sizeof(ack5));
	else
		wire_put(&client->out, ack, sizeof(ack));
}

static void put_message(struct wire_buf *fan, const uint8_t *data, size_t len)
{
	static struct wire_buf held;

	if (held.len) {		/* the one after it has come */
		wire_put(fan, data, len);
		wire_put(fan, held.data, held.len);
		held.len = 0;
		return;
	}
	if (++published % FAULT_EVERY || !*fault) {
		wire_put(fan, data, len);
		return;
	}
	if (!strcmp(fault, "swap")) {
		wire_put(&held, data, len);
	} else if (strcmp(fault, "lose")) {
		wire_put(fan, data, len);
		if (!strcmp(fault, "double"))
			wire_put(fan, data, len);
		else
			fan->data[fan->len - 1] ^= 1;
	}
}

static void publish(struct client *client, const struct wire_packet *pkt,
		    const uint8_t *data, size_t len)
{
	struct wire_publish msg;
	struct topic *topic;

	if (wire_parse_publish(pkt, client->version, &msg))
		return;
	if (!is_topic(client->publishes, msg.topic, msg.topic_len))
		client->publishes = find_topic(msg.topic, msg.topic_len);
	topic = client->publishes;
	put_message(&topic->fan, data, len);
	if (!batched) {
		fan_out(topic);
	} else if (!topic->due) {
		topic->due = true;
		due[nr_due++] = topic;
	}
	if (msg.qos)
		wire_ack(&client->out, msg.qos == 1 ? WIRE_PUBACK : WIRE_PUBREC,
			 msg.id);
}

static bool handle(struct client *client, const struct wire_packet *pkt,
		   const uint8_t *data, size_t len)
{
	switch (pkt->type) {
	case WIRE_CONNECT:
		accept_connect(client, pkt);
		return true;
	case WIRE_SUBSCRIBE:
		subscribe(client, pkt);
		return true;
	case WIRE_PUBLISH:
		publish(client, pkt, data, len);
		return true;
	case WIRE_PUBREC:
		wire_ack(&client->out, WIRE_PUBREL, wire_id(pkt));
		return true;
	case WIRE_PUBREL:
		wire_ack(&client->out, WIRE_PUBCOMP, wire_id(pkt));
		return true;
	case WIRE_DISCONNECT:
		return false;
	default:
		return true;
	}
}

static bool client_read(struct client *client)
{
	static uint8_t buf[READ_SIZE * 8];
	size_t have = client->rest.len, at = 0;
	struct wire_packet pkt;
	bool alive = true;
	ssize_t n;

	if (have)
		memcpy(buf, client->rest.data, have);
	n = recv(client->fd, buf + have, READ_SIZE, 0);
	if (n <= 0)
		return false;
	have += n;
	while (alive && (n = wire_next(buf + at, have - at, &pkt)) > 0) {
		alive = handle(client, &pkt, buf + at, n);
		at += n;
	}
	if (n < 0 || have - at > sizeof(buf) - READ_SIZE)
		return false;
	client->rest.len = 0;
	if (at < have)
		wire_put(&client->rest, buf + at, have - at);
	if (client->out.len)
		send_all(client->fd, &client->out);
	client->out.len = 0;
	return alive;
}

static void client_end(struct client *client)
{
	struct topic *topic = client->subscribed;
	unsigned int i;

	for (i = 0; topic && i < topic->nr_subscribers; i++)
		if (topic->subscribers[i] == client)
			topic->subscribers[i--] =
				topic->subscribers[--topic->nr_subscribers];
	close(client->fd);
	free(client->rest.data);
	free(client->out.data);
	free(client);
}

static int listen_on(unsigned int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	socklen_t len = sizeof(address);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 1024) ||
	    getsockname(fd, (struct sockaddr *)&address, &len)) {
		perror("relay");
		exit(1);
	}
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void accept_one(int listener, int epoll)
{
	struct client *client = calloc(1, sizeof(*client));
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
	int on = 1;

	client->fd = accept(listener, NULL, NULL);
	if (client->fd < 0) {
		free(client);
		return;
	}
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event);
}

int main(int argc, char **argv)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };
	struct epoll_event events[EVENTS], event = { .events = EPOLLIN };
	int epoll = epoll_create1(0), listener, i, n;

	if (argc < 2) {
		fputs("usage: relay PORT [batched] [lose|double|swap|spoil]\n",
		      stderr);
		return 2;
	}
	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "batched"))
			batched = true;
		else
			fault = argv[i];
	}
	setrlimit(RLIMIT_NOFILE, &limit);
	listener = listen_on(atoi(argv[1]));
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS, -1);
		for (i = 0; i < n; i++) {
			if (!events[i].data.ptr)
				accept_one(listener, epoll);
			else if (!client_read(events[i].data.ptr))
				client_end(events[i].data.ptr);
		}
		fan_out_due();
	}
}
