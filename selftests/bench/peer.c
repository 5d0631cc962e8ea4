// SPDX-License-Identifier: GPL-2.0
/* Connections: set up one after the other, then driven by epoll. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_READ_SIZE	(512 * 1024)

/* One for all: what is left of a packet moves to its peer. */
static uint8_t read_buf[PEER_READ_SIZE];

static bool send_all(struct peer *peer, const struct wire_buf *buf)
{
	ssize_t n = send(peer->fd, buf->data, buf->len, MSG_NOSIGNAL);

	return n == (ssize_t)buf->len;
}

/* The next packet of a socket that still blocks. */
static bool answer(struct peer *peer, enum wire_type type)
{
	struct wire_packet pkt;
	uint8_t buf[4096];
	size_t have = 0;
	ssize_t n;
	int reason;

	do {
		n = recv(peer->fd, buf + have, sizeof(buf) - have, 0);
		if (n <= 0) {
			fprintf(stderr, "client %u: no answer of type %d: %s\n",
				peer->number, type,
				n ? strerror(errno) : "connection closed");
			return false;
		}
		have += n;
		n = wire_next(buf, have, &pkt);
	} while (!n);
	if (n < 0 || pkt.type != type) {
		fprintf(stderr, "client %u: type %d came, not %d\n",
			peer->number, n < 0 ? -1 : pkt.type, type);
		return false;
	}
	wire_put(&peer->rest, buf + n, have - n);
	reason = wire_reason(&pkt, peer->version);
	if (reason)
		fprintf(stderr, "client %u: answer of type %d refuses: 0x%02x\n",
			peer->number, type, reason);
	return !reason;
}

bool peer_connect(struct peer *peer, const struct peer_target *target,
		  unsigned int number)
{
	struct timeval patience = { .tv_sec = target->patience };
	struct wire_buf buf = {};
	char id[32];
	int on = 1;
	bool sent;

	peer->number = number;
	peer->version = target->version;
	peer->fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC,
			  0);
	if (peer->fd < 0 ||
	    connect(peer->fd, (const struct sockaddr *)&target->address,
		    target->address_len)) {
		fprintf(stderr, "client %u: cannot connect: %s\n", number,
			strerror(errno));
		peer_close(peer);
		return false;
	}
	setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	snprintf(id, sizeof(id), "load-%d-%u", (int)getpid(), number);
	wire_connect(&buf, target->version, id, target->keep_alive,
		     target->keep_session);
	sent = send_all(peer, &buf);
	free(buf.data);
	return sent && answer(peer, WIRE_CONNACK);
}

bool peer_subscribe(struct peer *peer, char *const *filters, unsigned int nr,
		    int qos)
{
	struct wire_buf buf = {};
	bool sent;

	wire_subscribe(&buf, peer->version, 1, filters, nr, qos);
	sent = send_all(peer, &buf);
	free(buf.data);
	return sent && answer(peer, WIRE_SUBACK);
}

bool peer_watch(struct peer *peer, int epoll)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };

	peer->epoll = epoll;
	return !fcntl(peer->fd, F_SETFL, O_NONBLOCK) &&
	       !epoll_ctl(epoll, EPOLL_CTL_ADD, peer->fd, &event);
}

/* Has epoll say when there is room, as long as something waits for it. */
static bool wait_writable(struct peer *peer)
{
	bool wanted = peer->out.len;
	struct epoll_event event = {
		.events = EPOLLIN | (wanted ? EPOLLOUT : 0),
		.data.ptr = peer
	};

	if (wanted == peer->waiting)
		return true;
	peer->waiting = wanted;
	return !epoll_ctl(peer->epoll, EPOLL_CTL_MOD, peer->fd, &event);
}

static ssize_t send_some(struct peer *peer, const void *data, size_t len)
{
	ssize_t n = send(peer->fd, data, len, MSG_NOSIGNAL);

	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

bool peer_send(struct peer *peer, const void *data, size_t len)
{
	ssize_t n = 0;

	if (!peer->out.len) {
		n = send_some(peer, data, len);
		if (n == (ssize_t)len)
			return true;
		if (n < 0)
			return false;
	}
	wire_put(&peer->out, (const char *)data + n, len - n);
	return wait_writable(peer);
}

bool peer_flush(struct peer *peer)
{
	ssize_t n;

	if (!peer->out.len)
		return true;
	n = send_some(peer, peer->out.data, peer->out.len);
	if (n < 0)
		return false;
	peer->out.len -= n;
	memmove(peer->out.data, peer->out.data + n, peer->out.len);
	return wait_writable(peer);
}

/* The whole packets in what has been read; what follows them is kept. */
static bool hand_over(struct peer *peer, size_t have, peer_handler handle)
{
	struct wire_packet pkt;
	size_t at = 0;
	ssize_t n;

	while ((n = wire_next(read_buf + at, have - at, &pkt)) > 0) {
		if (!handle(peer, &pkt))
			return false;
		at += n;
	}
	/* A packet longer than the buffer is none that we asked for. */
	if (n < 0 || (at == 0 && have == sizeof(read_buf))) {
		fprintf(stderr, "client %u: what came is no packet\n",
			peer->number);
		return false;
	}
	peer->rest.len = 0;
	if (at < have)
		wire_put(&peer->rest, read_buf + at, have - at);
	return true;
}

bool peer_read(struct peer *peer, peer_handler handle)
{
	size_t have = peer->rest.len;
	ssize_t n;

	if (have)
		memcpy(read_buf, peer->rest.data, have);
	n = recv(peer->fd, read_buf + have, sizeof(read_buf) - have, 0);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	return hand_over(peer, have + n, handle);
}

bool peer_read_rest(struct peer *peer, peer_handler handle)
{
	if (!peer->rest.len)
		return true;
	memcpy(read_buf, peer->rest.data, peer->rest.len);
	return hand_over(peer, peer->rest.len, handle);
}

bool peer_leave(struct peer *peer)
{
	struct wire_buf buf = {};
	ssize_t n = -1;
	bool sent;

	if (peer->fd < 0)
		return false;
	wire_disconnect(&buf);
	fcntl(peer->fd, F_SETFL, 0);
	sent = send_all(peer, &buf);
	free(buf.data);
	if (sent)
		while ((n = recv(peer->fd, read_buf, sizeof(read_buf), 0)) > 0)
			;
	peer_close(peer);
	return sent && n == 0;
}

void peer_close(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
	free(peer->out.data);
	free(peer->rest.data);
	peer->out = (struct wire_buf){};
	peer->rest = peer->out;
}
