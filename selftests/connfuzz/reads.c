// SPDX-License-Identifier: GPL-2.0
/*
 * What the broker has read of a client: what it must answer, what must end the
 * connection, and which messages there are. It is lenient where the standard
 * leaves room: what is called wrong here is wrong for sure.
 */
#include <string.h>
#include "client.h"

#define NR_PUBLISHED	8192

static struct message published[NR_PUBLISHED];
static u32 nr_published;
/* Not all of them could be kept. */
static bool lost_count;

void published_reset(void)
{
	if (nr_published)
		memset(published, 0, sizeof(published));
	nr_published = 0;
	lost_count = false;
}

u64 span_hash(const struct span *span, u64 hash)
{
	u32 i;

	for (i = 0; i < span->len; i++)
		hash = (hash ^ span->data[i]) * 0x100000001b3ULL;
	return (hash ^ 0x1ff) * 0x100000001b3ULL;
}

static u64 message_hash(const struct span *topic, const struct span *payload)
{
	return span_hash(payload, span_hash(topic, 0xcbf29ce484222325ULL)) | 1;
}

static struct message *message_slot(u64 hash)
{
	u32 i = hash / 2 % NR_PUBLISHED;

	while (published[i].hash && published[i].hash != hash)
		i = (i + 1) % NR_PUBLISHED;
	return &published[i];
}

const struct message *message_find(const struct span *topic,
				   const struct span *payload)
{
	static const struct message any = { .again = true };
	struct message *message = message_slot(message_hash(topic, payload));

	if (message->hash)
		return message;
	return lost_count ? &any : NULL;
}

static void publish(const struct client *client, const struct span *topic,
		    const struct span *payload)
{
	u64 hash = message_hash(topic, payload);
	struct message *message = message_slot(hash);

	if (message->hash) {
		message->again = true;
		return;
	}
	if (nr_published == NR_PUBLISHED / 2) {
		lost_count = true;
		return;
	}
	message->hash = hash;
	message->from = client - clients;
	message->number = ++nr_published;
}

static u8 connect_version(struct reader *r)
{
	struct span name = get_span(r);
	u8 level = get8(r);

	if (name.len == 4 && !memcmp(name.data, "MQTT", 4) &&
	    (level == 4 || level == 5))
		return level;
	if (name.len == 6 && !memcmp(name.data, "MQIsdp", 6) && level == 3)
		return level;
	return 0;
}

static void read_connect(struct client *client, struct reader *r)
{
	struct span topic = {}, payload = {};
	struct props props = { .receive_max = 65535 }, will;
	u8 flags;

	client->connect = true;
	client->version = connect_version(r);
	flags = get8(r);
	get16(r);
	if (client->version == 5)
		get_props(r, &props, 1);
	get_span(r);
	if (flags & 0x04) {
		if (client->version == 5)
			get_props(r, &will, 0);
		topic = get_span(r);
		payload = get_span(r);
	}
	if (flags & 0x80)
		get_span(r);
	if (flags & 0x40)
		get_span(r);
	client->refusable = !client->version || r->failed || r->at != r->end ||
			    !props.receive_max ||
			    (flags & 0x04 && (flags & 0x18) == 0x18);
	/* 3.1 has bits without a use ignored. */
	if (flags & 0x01 || (!(flags & 0x04) && flags & 0x38))
		client->refusable |= client->version != 3;
	client->receive_max = props.receive_max;
	client->max_packet = props.max_packet;
	client->alias_max = props.alias_max;
	if (flags & 0x04 && !r->failed) {
		publish(client, &topic, &payload);
		/* It comes when it is due. */
		publish(client, &topic, &payload);
	}
}

/*
 * A repetition of QoS 2 goes nowhere [MQTT-4.3.3-10]. 5.0 may be refused, and
 * the identifier is then free before we hear of it.
 */
static bool read_again(struct client *client, u8 qos, u16 id)
{
	u32 bit = id < 32 ? 1U << id : 0;
	bool again;

	if (qos != 2 || client->version == 5)
		return false;
	again = client->unreleased & bit;
	client->unreleased |= bit;
	return again;
}

static void read_publish(struct client *client, struct reader *r, u8 flags)
{
	struct span topic = get_span(r), payload;
	u8 qos = flags >> 1 & 3;
	struct props props = {};
	u16 id = 0;

	if (qos)
		id = get16(r);
	if (client->version == 5)
		get_props(r, &props, 3);
	payload = get_rest(r);
	if (r->failed || (qos && !id) || qos == 3 || !is_text(&topic)) {
		client->wrong = true;
		return;
	}
	if (props.has_alias && props.alias < NR_ALIASES) {
		if (topic.len)
			span_keep(&client->topics[props.alias], &topic);
		else
			topic = client->topics[props.alias];
	}
	if (!read_again(client, qos, id))
		publish(client, &topic, &payload);
	if (qos)
		client->owes[qos == 1 ? OWES_PUBACK : OWES_PUBREC]++;
}

static void read_ack(struct client *client, struct reader *r, u8 type)
{
	u16 id = get16(r);
	u8 reason = client->version == 5 && r->at < r->end ? get8(r) : 0;
	struct flight *flight;

	if (r->failed || !id) {
		client->wrong = true;
		return;
	}
	if (type == 6) {
		client->owes[OWES_PUBCOMP]++;
		client->unreleased &= id < 32 ? ~(1U << id) : ~0U;
		return;
	}
	flight = flight_find(client, id);
	if (!flight || (type == 4) != (flight->qos == 1) ||
	    (type == 7 && flight->state == FLIGHT_PUBLISHED)) {
		client->odd = true;
		return;
	}
	if (type != 5 || (reason >= 0x80 && flight->state == FLIGHT_PUBLISHED))
		flight_free(client, flight);
	else if (flight->state == FLIGHT_PUBLISHED)
		flight->state = FLIGHT_RECEIVED;
}

static void read_subscribe(struct client *client, struct reader *r, u8 type)
{
	struct props props;
	u16 id = get16(r);
	struct span filter;
	u32 nr = 0;

	if (client->version == 5)
		get_props(r, &props, type);
	while (!r->failed && r->at < r->end) {
		filter = get_span(r);
		client->copies |= filter.len && filter.data[0] == '$';
		if (type == 8)
			get8(r);
		nr++;
	}
	if (r->failed || !id || !nr)
		client->wrong = true;
	else
		client->owes[type == 8 ? OWES_SUBACK : OWES_UNSUBACK]++;
}

/* Reserved bits of the first byte [MQTT-2.1.3-1]. */
static bool flags_right(const struct client *client, u8 first)
{
	u8 type = first >> 4, flags = first & 0x0f;

	if (type == 3)
		return true;
	if (type == 6 || type == 8 || type == 10)
		return flags == 2 || (client->version == 3 && flags == 10);
	return !flags;
}

static void read_packet(struct client *client, u8 first, struct reader *r)
{
	u8 type = first >> 4;

	if (!flags_right(client, first) || (type == 1) == client->connect) {
		client->wrong = true;
		return;
	}
	switch (type) {
	case 1:
		read_connect(client, r);
		break;
	case 3:
		read_publish(client, r, first & 0x0f);
		break;
	case 4 ... 7:
		read_ack(client, r, type);
		break;
	case 8:
	case 10:
		read_subscribe(client, r, type);
		break;
	case 12:
		client->wrong = r->at != r->end;
		client->owes[OWES_PINGRESP]++;
		break;
	case 14:
		client->leaving = true;
		break;
	case 15:
		client->wrong = client->version != 5;
		break;
	default:
		client->wrong = true;
	}
}

void client_was_read(struct shim_peer *peer, const u8 *data, u32 len)
{
	struct client *client = (struct client *)peer;
	u32 end = data - peer->in + len, head;
	const u8 *packet;
	struct reader r;
	s64 size;

	/* It only drains the socket. */
	while (!client->ended && !client->wrong && !client->leaving &&
	       !client->refusable && client->parsed < end) {
		packet = peer->in + client->parsed;
		size = packet_len(packet, end - client->parsed, &head);
		if (size < 0)
			client->wrong = true;
		if (size <= 0 || size > end - client->parsed)
			return;
		r = (struct reader){ packet + head, packet + size, false };
		client->parsed += size;
		read_packet(client, packet[0], &r);
	}
}
