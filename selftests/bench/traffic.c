// SPDX-License-Identifier: GPL-2.0
/*
 * A closed loop: each publisher keeps a window of messages on their way, and
 * sends the next when one has reached all its subscribers and is acknowledged.
 *
 * The payload is the publisher's number, the message's number, and bytes that
 * are the same in all messages.
 */
#include "traffic.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "latency.h"

#define TRAFFIC_EVENTS		256
/* Several of these programs may run at a time: the first number is its own. */
#define TRAFFIC_TOPIC		"load%07d/%u/data"
#define NS			1000000000ULL
#define STUCK_TOPIC		"load%07d/stuck"
#define STUCK_SIZE		65536
/* More than both sockets of a connection hold. */
#define STUCK_MESSAGES		256
#define FILTERS_PER_CLIENT	10000
#define FILTERS_PER_PACKET	100

/** struct slot - a message on its way; its packet identifier is its index + 1 */
struct slot {
	unsigned int missing;	/* deliveries, and the acknowledgment */
	uint8_t awaits;		/* enum wire_type of the next one; 0: none */
	uint64_t stamp;		/* when it was sent */
};

struct publisher {
	struct peer *peer;
	char topic[32];
	struct wire_buf packet;	/* patched for each message */
	size_t at_payload;
	size_t at_id;
	uint32_t sent;
	uint32_t done;		/* all before this one have arrived */
	uint32_t target;
	uint64_t due;			/* when the next may be sent, ns */
	struct slot *slots;
};

struct subscriber {
	unsigned int unreleased;	/* QoS 2: PUBREC sent, no PUBREL yet */
	unsigned int first;		/* publisher that next[0] is for */
	unsigned int nr;
	uint32_t next[];		/* message expected, for each publisher */
};

struct traffic_count traffic_count;
volatile sig_atomic_t traffic_stop;

static struct traffic_options opt;
static struct peer *peers;
static unsigned int nr_peers;
static struct publisher *publishers;
static unsigned int subscribers_each;	/* of a publisher's messages */
static uint64_t unreleased;
static int epoll_fd;

void traffic_payload(uint8_t *payload, size_t size, uint32_t first,
		     uint32_t second)
{
	uint32_t head[2] = { htonl(first), htonl(second) };
	size_t i;

	memcpy(payload, head, TRAFFIC_HEAD);
	for (i = TRAFFIC_HEAD; i < size; i++)
		payload[i] = i * 7 + 13;
}

/* What each payload of so many bytes has behind the numbers. */
static const uint8_t *filler(size_t size)
{
	static uint8_t *bytes;
	static size_t have;

	if (size > have) {
		free(bytes);
		bytes = malloc(size);
		traffic_payload(bytes, size, 0, 0);
		have = size;
	}
	return bytes + TRAFFIC_HEAD;
}

bool traffic_payload_read(const uint8_t *payload, size_t size, uint32_t head[2])
{
	memcpy(head, payload, TRAFFIC_HEAD);
	head[0] = ntohl(head[0]);
	head[1] = ntohl(head[1]);
	return !memcmp(payload + TRAFFIC_HEAD, filler(size),
		       size - TRAFFIC_HEAD);
}

static int topic_id(void)
{
	return opt.id ? (int)opt.id : (int)getpid();
}

static struct peer *new_peer(void)
{
	struct peer *peer = &peers[nr_peers];

	peer->fd = -1;
	if (!peer_connect(peer, &opt.target, nr_peers))
		return NULL;
	nr_peers++;
	return peer;
}

static void make_publisher(struct publisher *pub, struct peer *peer,
			   unsigned int number)
{
	uint8_t *payload = malloc(opt.size);

	traffic_payload(payload, opt.size, 0, 0);
	snprintf(pub->topic, sizeof(pub->topic), TRAFFIC_TOPIC, topic_id(),
		 opt.shape == TRAFFIC_ONE_TOPIC ? 0 : number);
	pub->peer = peer;
	if (peer)
		peer->publisher = pub;
	pub->slots = calloc(opt.window, sizeof(*pub->slots));
	wire_publish(&pub->packet, opt.target.version, opt.qos << 1, 1,
		     pub->topic, payload, opt.size);
	pub->at_payload = pub->packet.len - opt.size;
	pub->at_id = pub->at_payload - (opt.target.version == 5) - 2;
	free(payload);
}

static bool make_subscriber(struct peer *peer, unsigned int number)
{
	bool all = opt.shape == TRAFFIC_ONE_TOPIC;
	unsigned int nr = all ? opt.publishers : 1;
	char topic[32], *filter = topic;
	struct subscriber *sub;

	sub = calloc(1, sizeof(*sub) + nr * sizeof(sub->next[0]));
	sub->nr = nr;
	sub->first = all ? 0 : number;
	peer->subscriber = sub;
	snprintf(topic, sizeof(topic), TRAFFIC_TOPIC, topic_id(),
		 all ? 0 : number);
	return peer_subscribe(peer, &filter, 1, opt.qos);
}

/* Beside the topics in use. */
static void make_filter(char *text, size_t room, unsigned int number)
{
	static const char *const forms[] = {
		"load%07d/x%u/data", "load%07d/+/x%u", "load%07d/x%u/#"
	};
	unsigned int form = opt.form == TRAFFIC_MIXED ? number % 3 :
			    opt.form - TRAFFIC_EXACT;

	snprintf(text, room, forms[form], topic_id(), number);
}

static bool make_filters(struct peer *peer, unsigned int from, unsigned int to)
{
	char text[FILTERS_PER_PACKET][40], *filters[FILTERS_PER_PACKET];
	unsigned int i;

	while (from < to) {
		for (i = 0; i < FILTERS_PER_PACKET && from < to; i++, from++) {
			filters[i] = text[i];
			make_filter(text[i], sizeof(text[i]), from);
		}
		if (!peer_subscribe(peer, filters, i, 0))
			return false;
	}
	return true;
}

static bool open_background(void)
{
	unsigned int i, to;
	struct peer *peer;

	for (i = 0; i < opt.idle; i++)
		if (!new_peer())
			return false;
	for (i = 0; i < opt.filters; i = to) {
		to = i + FILTERS_PER_CLIENT;
		if (to > opt.filters)
			to = opt.filters;
		peer = new_peer();
		if (!peer || !make_filters(peer, i, to))
			return false;
	}
	return true;
}

/* What they subscribe to besides is to fill their sockets. */
static bool make_stuck(void)
{
	char topic[32], fill[32], *filters[] = { topic, fill };
	struct peer *peer = new_peer();

	snprintf(topic, sizeof(topic), TRAFFIC_TOPIC, topic_id(), 0);
	snprintf(fill, sizeof(fill), STUCK_TOPIC, topic_id());
	if (!peer)
		return false;
	peer->stuck = true;
	return peer_subscribe(peer, filters, 2, opt.qos);
}

/*
 * Done when the answer to what follows is there. Before any of the others is there:
 * if a client hears nothing for some time its TCP acknowledges more, which would
 * count as cost of those who do not read.
 */
static bool fill_stuck(void)
{
	char topic[32], after[32], *filters[] = { after };
	uint8_t *payload = calloc(1, STUCK_SIZE);
	struct peer *peer = new_peer();
	struct wire_buf buf = {};
	bool sent = peer;
	unsigned int i;

	snprintf(topic, sizeof(topic), STUCK_TOPIC, topic_id());
	snprintf(after, sizeof(after), STUCK_TOPIC "/not", topic_id());
	wire_publish(&buf, opt.target.version, 0, 0, topic, payload,
		     STUCK_SIZE);
	for (i = 0; sent && i < STUCK_MESSAGES; i++)
		sent = peer_send(peer, buf.data, buf.len);
	free(buf.data);
	free(payload);
	return sent && peer_subscribe(peer, filters, 1, 0);
}

static bool open_ends(void)
{
	struct peer *peer;
	unsigned int i;

	for (i = 0; i < opt.stuck; i++)
		if (!make_stuck())
			return false;
	if (opt.stuck && !fill_stuck())
		return false;
	for (i = 0; i < opt.subscribers; i++) {
		peer = new_peer();
		if (!peer || !make_subscriber(peer, i))
			return false;
		if (opt.shape == TRAFFIC_SELF)
			make_publisher(&publishers[i], peer, i);
	}
	for (i = 0; opt.shape != TRAFFIC_SELF && i < opt.publishers; i++) {
		peer = opt.remote ? NULL : new_peer();
		if (!peer && !opt.remote)
			return false;
		make_publisher(&publishers[i], peer, i);
	}
	return true;
}

bool traffic_open(const struct traffic_options *options)
{
	unsigned int i;

	opt = *options;
	subscribers_each = opt.shape == TRAFFIC_ONE_TOPIC ? opt.subscribers : 1;
	peers = calloc(opt.idle + opt.filters / FILTERS_PER_CLIENT + 1 +
		       opt.stuck + 1 + opt.subscribers + opt.publishers,
		       sizeof(*peers));
	publishers = calloc(opt.publishers, sizeof(*publishers));
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!open_background() || !open_ends())
		return false;
	for (i = 0; i < nr_peers; i++)
		if (!peers[i].stuck && !peer_watch(&peers[i], epoll_fd))
			return false;
	return true;
}

static void slot_step(struct publisher *pub, struct slot *slot)
{
	if (!slot->missing) {
		traffic_count.unexpected++;
		return;
	}
	slot->missing--;
	while (pub->done != pub->sent &&
	       !pub->slots[pub->done % opt.window].missing) {
		pub->done++;
		traffic_count.messages++;
	}
}

static bool publish_next(struct publisher *pub)
{
	struct slot *slot = &pub->slots[pub->sent % opt.window];
	uint8_t *packet = pub->packet.data;
	uint32_t head[2] = { htonl(pub - publishers), htonl(pub->sent) };
	uint16_t id = htons(pub->sent % opt.window + 1);

	slot->missing = subscribers_each + (opt.qos ? 1 : 0);
	slot->awaits = opt.qos == 2 ? WIRE_PUBREC : opt.qos ? WIRE_PUBACK : 0;
	memcpy(packet + pub->at_payload, head, sizeof(head));
	if (opt.qos)
		memcpy(packet + pub->at_id, &id, sizeof(id));
	pub->sent++;
	slot->stamp = latency_stamp();
	return peer_send(pub->peer, packet, pub->packet.len);
}

static bool handle_ack(struct publisher *pub, const struct wire_packet *pkt)
{
	unsigned int id = wire_id(pkt);
	struct slot *slot;

	if (!pub || !id || id > opt.window ||
	    pub->slots[id - 1].awaits != pkt->type ||
	    wire_reason(pkt, opt.target.version)) {
		traffic_count.unexpected++;
		return true;
	}
	slot = &pub->slots[id - 1];
	if (pkt->type == WIRE_PUBREC) {
		struct wire_buf *out = &pub->peer->out;

		slot->awaits = WIRE_PUBCOMP;
		wire_ack(out, WIRE_PUBREL, id);
		return true;
	}
	slot->awaits = 0;
	slot_step(pub, slot);
	return true;
}

/* Order, loss and duplicates; true if it is the one expected or a later one. */
static bool check_number(struct subscriber *sub, uint32_t from, uint32_t number)
{
	uint32_t *next = &sub->next[from - sub->first];
	int32_t ahead = number - *next;

	if (ahead < 0) {
		/* Was it passed over, or has it been here? Both are wrong. */
		if (traffic_count.lost) {
			traffic_count.lost--;
			traffic_count.disordered++;
			return true;
		}
		traffic_count.duplicates++;
		return false;
	}
	traffic_count.lost += ahead;
	*next = number + 1;
	return true;
}

static bool payload_good(const struct subscriber *sub,
			 const struct wire_publish *msg, uint32_t head[2])
{
	const struct publisher *pub;

	if (msg->payload_len != opt.size || msg->qos != opt.qos ||
	    !traffic_payload_read(msg->payload, opt.size, head) ||
	    head[0] - sub->first >= sub->nr)
		return false;
	pub = &publishers[head[0]];
	return (int32_t)(pub->sent - head[1]) > 0 &&
	       msg->topic_len == strlen(pub->topic) &&
	       !memcmp(msg->topic, pub->topic, msg->topic_len);
}

static bool handle_publish(struct peer *peer, const struct wire_packet *pkt)
{
	struct subscriber *sub = peer->subscriber;
	struct wire_publish msg;
	uint32_t head[2];

	if (!sub || wire_parse_publish(pkt, opt.target.version, &msg)) {
		traffic_count.unexpected++;
		return true;
	}
	if (msg.qos)
		wire_ack(&peer->out, msg.qos == 1 ? WIRE_PUBACK : WIRE_PUBREC,
			 msg.id);
	if (msg.qos == 2) {
		sub->unreleased++;
		unreleased++;
	}
	if (!payload_good(sub, &msg, head)) {
		traffic_count.corrupted++;
		return true;
	}
	if (check_number(sub, head[0], head[1])) {
		struct publisher *pub = &publishers[head[0]];
		struct slot *slot = &pub->slots[head[1] % opt.window];

		traffic_count.deliveries++;
		if (!opt.remote) {
			latency_add(latency_stamp() - slot->stamp);
			slot_step(pub, slot);
		}
	}
	return true;
}

static bool handle_release(struct peer *peer, const struct wire_packet *pkt)
{
	struct subscriber *sub = peer->subscriber;

	if (!sub || !sub->unreleased) {
		traffic_count.unexpected++;
		return true;
	}
	sub->unreleased--;
	unreleased--;
	wire_ack(&peer->out, WIRE_PUBCOMP, wire_id(pkt));
	return true;
}

static bool handle(struct peer *peer, const struct wire_packet *pkt)
{
	switch (pkt->type) {
	case WIRE_PUBLISH:
		return handle_publish(peer, pkt);
	case WIRE_PUBACK:
	case WIRE_PUBREC:
	case WIRE_PUBCOMP:
		return handle_ack(peer->publisher, pkt);
	case WIRE_PUBREL:
		return handle_release(peer, pkt);
	case WIRE_PINGRESP:
		return true;
	case WIRE_DISCONNECT:
		return false;
	default:
		traffic_count.unexpected++;
		return true;
	}
}

static void on_event(struct peer *peer, uint32_t events)
{
	bool alive = peer->fd >= 0;

	if (alive && events & EPOLLOUT)
		alive = peer_flush(peer);
	if (alive && events & ~EPOLLOUT) {
		alive = peer_read(peer, handle);
		/* What waits for the socket already goes on waiting. */
		if (alive && !peer->waiting)
			alive = peer_flush(peer);
	}
	if (!alive && peer->fd >= 0) {
		traffic_count.ended++;
		peer_close(peer);
	}
}

/* May it publish now? If it is only too early, *@wake is when. */
static bool is_due(struct publisher *pub, uint64_t *wake)
{
	uint64_t now;

	if (!opt.rate)
		return true;
	now = latency_clock();
	if (!pub->due)
		pub->due = now;
	if (now < pub->due) {
		if (!*wake || pub->due < *wake)
			*wake = pub->due;
		return false;
	}
	pub->due += NS / opt.rate;
	return true;
}

/* False when all is done, for good or ill. */
static bool pump(struct publisher *pub, uint64_t *wake)
{
	if (opt.remote)
		return !traffic_stop && traffic_count.deliveries <
		       (uint64_t)pub->target * subscribers_each *
		       opt.publishers;
	if (traffic_stop)
		pub->target = pub->sent;
	while (pub->sent != pub->target && pub->sent - pub->done < opt.window &&
	       is_due(pub, wake)) {
		if (pub->peer->fd < 0 || !publish_next(pub)) {
			traffic_count.ended++;
			return false;
		}
	}
	return pub->done != pub->target;
}

/* False if nothing has come for too long. */
static bool wait_events(uint64_t wake)
{
	struct timespec patience = { .tv_sec = opt.target.patience };
	struct epoll_event events[TRAFFIC_EVENTS];
	uint64_t now;
	int n;

	if (wake) {
		now = latency_clock();
		now = wake > now ? wake - now : 0;
		patience.tv_sec = now / NS;
		patience.tv_nsec = now % NS;
	}
	n = epoll_pwait2(epoll_fd, events, TRAFFIC_EVENTS, &patience, NULL);
	if (!n && !wake)
		return false;
	for (; n > 0; n--)
		on_event(events[n - 1].data.ptr, events[n - 1].events);
	return true;
}

void traffic_run(uint32_t messages)
{
	uint64_t wake;
	bool busy;
	unsigned int i;

	for (i = 0; i < opt.publishers; i++) {
		publishers[i].target = publishers[i].sent + messages;
		publishers[i].due = 0;
		if (opt.remote)		/* no number it sends is too high */
			publishers[i].sent = publishers[i].target;
	}
	for (;;) {
		busy = false;
		wake = 0;
		for (i = 0; i < opt.publishers; i++)
			busy |= pump(&publishers[i], &wake);
		if ((!busy && !unreleased) || traffic_count.ended)
			return;
		if (!wait_events(wake)) {
			traffic_count.stalled = true;
			return;
		}
	}
}

unsigned int traffic_close(void)
{
	unsigned int i, kept = 0;

	for (i = 0; i < nr_peers; i++) {
		if (peers[i].stuck)
			peer_close(&peers[i]);
		else
			kept += !peer_leave(&peers[i]);
	}
	return kept;
}

bool traffic_clean(bool broker_may_end)
{
	const struct traffic_count *count = &traffic_count;

	if (count->lost || count->duplicates || count->disordered ||
	    count->corrupted || count->unexpected || count->stalled)
		return false;
	return broker_may_end || !count->ended;
}
