// SPDX-License-Identifier: GPL-2.0
/*
 * A storm: clients that connect, do what their role is, end in some way and
 * connect again at once, whatever happens to the broker. They check nothing;
 * that the kernel stays well is for its own instruments. A line on stdout for
 * every so many CONNACKs says that the storm is on.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "wire.h"

#define READ_SIZE	65536
#define PAYLOAD_MAX	20000
/* How long epoll may wait when nobody can connect (milliseconds). */
#define TICK		20

static const char usage[] =
"usage: storm [-h HOST] [-p PORT] [-n CLIENTS] [-s SEED] [-l CONNACKS]\n"
"             [-r ROLES] [-u NAME -P PASSWORD]\n"
"  -n  clients (64)\n"
"  -l  a line after so many CONNACKs (50)\n"
"  -r  letters: t take-over, p publish, s subscribe, f come and go, u unfinished,\n"
"      d deaf, w wills, r retained (all of them)\n"
"Ends with SIGTERM.\n";

static const char all_roles[] = "tpsfudwr";

/** struct client - one of them, in its present life
 * @fd: -1 between two lives
 * @role: a letter of all_roles
 * @version: of MQTT
 * @connecting: TCP's handshake goes on
 * @life: what it still has to receive before it ends by itself
 * @number: for its client identifier
 * @rest: the beginning of a packet
 */
struct client {
	int fd;
	char role;
	int version;
	bool connecting;
	unsigned int life;
	unsigned int number;
	struct wire_buf rest;
};

static struct {
	struct sockaddr_storage address;
	socklen_t address_len;
	const char *name;
	const char *password;
	unsigned int per_line;
	unsigned int connacks;
	int epoll;
} storm;

static volatile sig_atomic_t terminated;
static uint8_t read_buf[READ_SIZE];
static uint8_t payload[PAYLOAD_MAX];

static void on_signal(int signal)
{
	(void)signal;
	terminated = 1;
}

static unsigned int chance(unsigned int below)
{
	return (unsigned int)random() % below;
}

static void end_life(struct client *c)
{
	struct linger abort = { .l_onoff = 1 };

	if (c->fd < 0)
		return;
	if (chance(2))
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	close(c->fd);
	c->fd = -1;
	c->rest.len = 0;
}

/* What does not fit into the socket is cut off: one more way to end. */
static void send_out(struct client *c, struct wire_buf *buf)
{
	ssize_t n = send(c->fd, buf->data, buf->len, MSG_NOSIGNAL);

	if (n != (ssize_t)buf->len)
		end_life(c);
	buf->len = 0;
}

static void put_publish(struct client *c, struct wire_buf *buf, int flags)
{
	char topic[32];

	snprintf(topic, sizeof(topic), "%s/%u", flags & WIRE_RETAIN ? "r" : "t",
		 chance(8));
	wire_publish(buf, c->version, flags, 1 + chance(200), topic, payload,
		     chance(4) ? chance(200) : chance(PAYLOAD_MAX));
}

static void put_subscribe(struct client *c, struct wire_buf *buf, int qos)
{
	static char *const filters[] = { "t/#", "$share/g/t/+", "r/+", "#" };
	unsigned int from = chance(4);

	wire_subscribe(buf, c->version, 1 + chance(200), filters + from,
		       1 + chance(4 - from), qos);
}

static void put_connect(struct client *c, struct wire_buf *buf)
{
	bool keep = chance(2);
	char id[40];

	if (c->role == 't')
		snprintf(id, sizeof(id), "same-%u", c->number % 2);
	else
		snprintf(id, sizeof(id), "%c-%u", c->role, c->number);
	wire_connect_as(buf, c->version, id, 60, keep,
			&(struct wire_login){
				.name = storm.name,
				.password = storm.password,
				.will = c->role == 'w' ? "t/will" : NULL,
				.will_qos = chance(3),
			});
}

/* What it sends at once, before any answer. */
static void put_hello(struct client *c, struct wire_buf *buf)
{
	put_connect(c, buf);
	switch (c->role) {
	case 'u':
		buf->len = chance(buf->len);
		return;
	case 'f':
		put_subscribe(c, buf, chance(3));
		put_publish(c, buf, chance(3) << 1);
		if (chance(2))
			wire_disconnect(buf);
		return;
	case 't':
	case 's':
	case 'd':
		put_subscribe(c, buf, chance(3));
	}
}

static void begin_life(struct client *c)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT,
				     .data.ptr = c };
	int on = 1, small = 4096;

	c->fd = socket(storm.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK |
		       SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (c->role == 'd')
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	c->version = 3 + chance(3);
	c->life = 1 + chance(c->role == 'd' ? 3 : 60);
	c->connecting = true;
	if ((connect(c->fd, (struct sockaddr *)&storm.address,
		     storm.address_len) && errno != EINPROGRESS) ||
	    epoll_ctl(storm.epoll, EPOLL_CTL_ADD, c->fd, &event))
		end_life(c);
}

static void connected(struct client *c)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	static struct wire_buf buf;

	c->connecting = false;
	/* The deaf hear only that the connection has ended. */
	if (c->role == 'd')
		event.events = EPOLLRDHUP;
	epoll_ctl(storm.epoll, EPOLL_CTL_MOD, c->fd, &event);
	put_hello(c, &buf);
	send_out(c, &buf);
	if (c->fd >= 0 && c->role == 'f' && chance(2))
		end_life(c);
}

static void put_more(struct client *c, struct wire_buf *buf)
{
	unsigned int n;

	switch (c->role) {
	case 'r':
		put_publish(c, buf, chance(3) << 1 | WIRE_RETAIN);
		put_subscribe(c, buf, chance(3));
		return;
	case 'p':
		for (n = chance(8); n; n--)
			put_publish(c, buf, chance(3) << 1);
		return;
	default:
		put_publish(c, buf, chance(3) << 1);
	}
}

static void count_connack(void)
{
	if (++storm.connacks % storm.per_line)
		return;
	printf("%u connected\n", storm.connacks);
	fflush(stdout);
}

static void answer(struct client *c, const struct wire_packet *pkt,
		   struct wire_buf *buf)
{
	struct wire_publish pub;

	switch (pkt->type) {
	case WIRE_CONNACK:
		count_connack();
		put_more(c, buf);
		break;
	case WIRE_PUBLISH:
		if (wire_parse_publish(pkt, c->version, &pub) || !pub.qos)
			break;
		wire_ack(buf, pub.qos == 1 ? WIRE_PUBACK : WIRE_PUBREC, pub.id);
		break;
	case WIRE_PUBREL:
		/* Some exchanges stay open. */
		if (chance(4))
			wire_ack(buf, WIRE_PUBCOMP, wire_id(pkt));
		break;
	case WIRE_PUBREC:
		wire_ack(buf, WIRE_PUBREL, wire_id(pkt));
		break;
	case WIRE_PUBACK:
	case WIRE_PUBCOMP:
	case WIRE_SUBACK:
		put_more(c, buf);
		break;
	case WIRE_DISCONNECT:
		end_life(c);
		break;
	}
}

static void packets(struct client *c, size_t have)
{
	static struct wire_buf buf;
	struct wire_packet pkt;
	size_t at = 0;
	ssize_t n = 0;

	while (c->fd >= 0 &&
	       (n = wire_next(read_buf + at, have - at, &pkt)) > 0) {
		at += n;
		answer(c, &pkt, &buf);
		if (!--c->life)
			end_life(c);
	}
	if (c->fd >= 0 && buf.len)
		send_out(c, &buf);
	buf.len = 0;
	if (n < 0 || (!at && have == sizeof(read_buf)))
		end_life(c);
	c->rest.len = 0;
	if (c->fd >= 0 && at < have)
		wire_put(&c->rest, read_buf + at, have - at);
}

static void readable(struct client *c)
{
	size_t have = c->rest.len;
	ssize_t n;

	if (have)
		memcpy(read_buf, c->rest.data, have);
	n = recv(c->fd, read_buf + have, sizeof(read_buf) - have, 0);
	if (n > 0)
		packets(c, have + n);
	else if (!n || errno != EAGAIN)
		end_life(c);
}

static void handle(const struct epoll_event *event)
{
	struct client *c = event->data.ptr;

	if (c->fd < 0)
		return;
	if (event->events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP))
		end_life(c);
	else if (c->connecting && event->events & EPOLLOUT)
		connected(c);
	else if (event->events & EPOLLIN)
		readable(c);
}

/* Those that wait for nothing end by chance. */
static void tick(struct client *clients, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (clients[i].fd >= 0 && !chance(200))
			end_life(&clients[i]);
		if (clients[i].fd < 0)
			begin_life(&clients[i]);
	}
}

static void rage(struct client *clients, unsigned int nr)
{
	struct epoll_event events[64];
	int n, i;

	while (!terminated) {
		tick(clients, nr);
		n = epoll_wait(storm.epoll, events, 64, TICK);
		for (i = 0; i < n; i++)
			handle(&events[i]);
	}
}

static bool resolve(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST };
	struct addrinfo *found;

	if (getaddrinfo(host, port, &hints, &found))
		return false;
	memcpy(&storm.address, found->ai_addr, found->ai_addrlen);
	storm.address_len = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

int main(int argc, char **argv)
{
	const char *host = "127.0.0.1", *port = "1883", *roles = all_roles;
	struct client *clients;
	unsigned int nr = 64, seed = 1, i;
	int option;

	storm.per_line = 50;
	while ((option = getopt(argc, argv, "h:p:n:s:l:r:u:P:")) != -1) {
		switch (option) {
		case 'h': host = optarg; break;
		case 'p': port = optarg; break;
		case 'n': nr = atoi(optarg); break;
		case 's': seed = atoi(optarg); break;
		case 'l': storm.per_line = atoi(optarg); break;
		case 'r': roles = optarg; break;
		case 'u': storm.name = optarg; break;
		case 'P': storm.password = optarg; break;
		default: goto wrong_usage;
		}
	}
	if (optind < argc || !nr || !storm.per_line || !*roles ||
	    roles[strspn(roles, all_roles)])
		goto wrong_usage;
	clients = calloc(nr, sizeof(*clients));
	storm.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!clients || storm.epoll < 0 || !resolve(host, port)) {
		fprintf(stderr, "storm: cannot begin with %s:%s\n", host, port);
		return 1;
	}
	srandom(seed);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	for (i = 0; i < nr; i++) {
		clients[i].fd = -1;
		clients[i].number = i;
		clients[i].role = roles[i % strlen(roles)];
	}
	rage(clients, nr);
	return 0;

wrong_usage:
	fputs(usage, stderr);
	return 2;
}
