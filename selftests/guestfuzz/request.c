// SPDX-License-Identifier: GPL-2.0
#include "request.h"

#include <linux/genetlink.h>
#include <linux/kmqtt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "run.h"

#define STR(attr, text)	 { .type = KMQTT_A_##attr, .data = text, .len = sizeof(text) }
#define BIN(attr, text)	 { .type = KMQTT_A_##attr, .data = text, .len = sizeof(text) - 1 }
#define U8(attr, n)	 { .type = KMQTT_A_##attr, .data = &(uint8_t){ n }, .len = 1 }
#define U16(attr, n)	 { .type = KMQTT_A_##attr, .data = &(uint16_t){ n }, .len = 2 }
#define U32(attr, n)	 { .type = KMQTT_A_##attr, .data = &(uint32_t){ n }, .len = 4 }
#define U64(attr, n)	 { .type = KMQTT_A_##attr, .data = &(uint64_t){ n }, .len = 8 }
#define ITEM		 { .type = KMQTT_A_ITEM | NLA_F_NESTED }
#define IN_STR(attr, text) { .type = KMQTT_A_##attr, .depth = 1, .data = text, .len = sizeof(text) }
#define IN_U8(attr, n)	 { .type = KMQTT_A_##attr, .depth = 1, .data = &(uint8_t){ n }, .len = 1 }
#define IN_U32(attr, n)	 { .type = KMQTT_A_##attr, .depth = 1, .data = &(uint32_t){ n }, .len = 4 }
#define IN_U64(attr, n)	 { .type = KMQTT_A_##attr, .depth = 1, .data = &(uint64_t){ n }, .len = 8 }

#define DO(name, wanted, ...) { .cmd = KMQTT_CMD_##name, .error = wanted, \
	.fields = { __VA_ARGS__ } }
#define DUMP(name, ...)	{ .cmd = KMQTT_CMD_##name, .dump = true, \
	.fields = { __VA_ARGS__ } }

#define ENOENT_		(-2)

/* In this order each is right: what it names is there by then. */
const struct request requests[] = {
	DUMP(LISTENER_GET),
	DUMP(CLIENT_GET),
	DUMP(SESSION_GET),
	DUMP(SUBSCRIPTION_GET),
	DUMP(SUBSCRIPTION_GET, STR(CLIENT_ID, "here")),
	DUMP(RETAINED_GET),
	DUMP(RETAINED_GET, STR(FILTER, "kept/+")),
	DUMP(CONFIG_GET),
	DUMP(STATS_GET),
	DUMP(ACL_GET),
	DO(LISTENER_NEW, 0, BIN(ADDRESS, "\177\0\0\1"), U16(PORT, 18902),
	   U8(AUTH_MODE, KMQTT_AUTH_OPEN), U32(MAX_CONNECTIONS, 5)),
	DO(LISTENER_NEW, 0, BIN(ADDRESS, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"),
	   U16(PORT, 18903), U8(AUTH_MODE, KMQTT_AUTH_AUTHORITY)),
	DO(LISTENER_SET, 0, U32(LISTENER_ID, 1), U8(AUTH_MODE, KMQTT_AUTH_OPEN),
	   U32(MAX_CONNECTIONS, 1000)),
	DO(LISTENER_DEL, 0, BIN(ADDRESS, "\177\0\0\1"), U16(PORT, 18902)),
	DO(LISTENER_DEL, 0, U32(LISTENER_ID, 4)),
	DO(ACL_SET, 0, U32(ACL_FLAGS, KMQTT_ACL_START), ITEM,
	   IN_U8(ACCESS, KMQTT_ACCESS_READ), IN_STR(FILTER, "kept/%c"),
	   IN_STR(USERNAME, "user"), IN_U32(RULE_FLAGS, KMQTT_RULE_PATTERN),
	   ITEM, IN_U8(ACCESS, KMQTT_ACCESS_ALL), IN_STR(FILTER, "#"),
	   IN_U32(RULE_FLAGS, KMQTT_RULE_EVERYONE)),
	DO(ACL_SET, 0, ITEM, IN_U8(ACCESS, KMQTT_ACCESS_WRITE),
	   IN_STR(FILTER, "no/%u/+/#"),
	   IN_U32(RULE_FLAGS, KMQTT_RULE_ALL & ~KMQTT_RULE_PATTERN),
	   U32(ACL_FLAGS, KMQTT_ACL_COMMIT)),
	DUMP(ACL_GET),
	DO(ACL_SET, 0, U32(ACL_FLAGS, KMQTT_ACL_OFF)),
	DO(CONFIG_SET, 0, ITEM, IN_STR(NAME, "max_inflight"),
	   IN_U64(VALUE, 20), ITEM, IN_STR(NAME, "retry_interval"),
	   IN_U64(VALUE, 10)),
	DO(CLIENT_DEL, 0, STR(CLIENT_ID, "here"), U8(REASON, 0x98)),
	DO(SESSION_DEL, 0, STR(CLIENT_ID, "gone")),
	DO(RETAINED_DEL, 0, STR(FILTER, "kept/#")),
	DO(AUTHORITY_SET, 0, {}),
	DO(AUTH_REPLY, ENOENT_, U64(REQUEST_ID, 1), U8(REASON, 0x18),
	   STR(USERNAME, "user"), BIN(AUTH_DATA, "data"),
	   STR(REASON_STRING, "because")),
	DO(BROKER_STOP, 0, {}),
};

const int nr_requests = sizeof(requests) / sizeof(requests[0]);

static int count_fields(const struct request *req)
{
	int nr = 0;

	while (nr < REQUEST_FIELDS && req->fields[nr].type)
		nr++;
	return nr;
}

/* Return: the first field behind those that were put. */
static int put_fields(struct genl_msg *msg, const struct request *req, int i,
		      int depth)
{
	const struct field *field;
	uint16_t len;
	size_t at;

	while (i < req->nr && req->fields[i].depth >= depth) {
		field = &req->fields[i++];
		at = msg->len;
		genl_put(msg, field->type, field->data, field->len);
		if (msg->len == at)
			continue;
		if (i < req->nr && req->fields[i].depth > depth) {
			i = put_fields(msg, req, i, depth + 1);
			genl_nest_end(msg, at);
		}
		memcpy(&len, msg->data + at, sizeof(len));
		len += field->lie;
		memcpy(msg->data + at, &len, sizeof(len));
	}
	return i;
}

static size_t put_request(struct genl *nl, struct genl_msg *msg,
			  const struct request *req)
{
	size_t at = genl_begin(nl, msg, req->cmd,
			       req->dump ? NLM_F_DUMP : NLM_F_ACK);

	put_fields(msg, req, 0, 0);
	genl_finish(msg, at);
	return at;
}

void request_put(struct genl *nl, struct genl_msg *msg,
		 const struct request *req)
{
	struct request copy = *req;

	copy.nr = count_fields(req);
	put_request(nl, msg, &copy);
}

/* Changes to one attribute. */
enum {
	DROP, REPEAT, LIE_LESS, LIE_MORE, LIE_HEADER, LIE_NONE, LIE_HUGE,
	EMPTY, SHORTER, LONGER, LONGER_8, ALL_0, ALL_FF, TOP_BIT, LOW_BIT, ONE,
	BIGGEST, UNKNOWN, FAR_UNKNOWN, UNSPEC, NESTED, SWAPPED_BYTES, NO_NUL,
	NUL_INSIDE, NO_UTF8, LONG, LONGEST, BAD_FILTER, MANY_LEVELS, SWAP,
	WRAP, DEEP, INTO_ITEM, OUT_OF_ITEM, OTHER_TYPE,
	NR_FIELD_CHANGES = OTHER_TYPE + KMQTT_A_MAX_ATTR + 1,
};

static const char *const field_changes[OTHER_TYPE] = {
	"left out", "twice", "length one less", "length one more", "length 3",
	"length 0", "length 65535", "empty", "a byte shorter", "a byte longer",
	"8 bytes longer", "all 0", "all 0xff", "first bit", "last bit", "1",
	"the biggest", "unknown type", "type 0x3fff", "type 0", "nested or not",
	"byte order flag", "no NUL", "NUL inside", "not UTF-8", "4097 bytes",
	"65530 bytes", "no filter", "30000 levels", "swapped with the next",
	"wrapped", "ten deep", "into the item", "out of the item",
};

static uint8_t big[65536];

static void remove_field(struct request *req, int i)
{
	memmove(&req->fields[i], &req->fields[i + 1],
		(--req->nr - i) * sizeof(req->fields[0]));
}

static bool insert_field(struct request *req, int i, struct field field)
{
	if (req->nr == REQUEST_FIELDS)
		return false;
	memmove(&req->fields[i + 1], &req->fields[i],
		(req->nr++ - i) * sizeof(req->fields[0]));
	req->fields[i] = field;
	return true;
}

static void copy_data(struct field *field, uint8_t *copy)
{
	if (field->len)
		memcpy(copy, field->data, field->len);
	field->data = copy;
}

static void fill(struct field *field, const char *text, uint32_t len)
{
	uint32_t i, size = strlen(text);

	for (i = 0; i < len; i++)
		big[i] = text[i % size];
	big[len] = '\0';
	field->data = big;
	field->len = len + 1;
}

static bool change_length(struct field *field, int what)
{
	switch (what) {
	case LIE_LESS:
	case LIE_MORE:
		field->lie = what == LIE_MORE ? 1 : -1;
		return true;
	case LIE_HEADER:
		field->lie = 3 - (int)(NLA_HDRLEN + field->len);
		return true;
	case LIE_NONE:
		field->lie = -(int)(NLA_HDRLEN + field->len);
		return true;
	default:
		field->lie = 65535 - (int)(NLA_HDRLEN + field->len);
		return true;
	}
}

/* @copy: 128 bytes, for what is in the attribute now. */
static bool change_value(struct field *field, int what, uint8_t *copy)
{
	uint32_t len = field->len;

	if (len > 64)
		return false;
	memset(copy, 0, 128);
	copy_data(field, copy);
	switch (what) {
	case EMPTY:
		field->len = 0;
		return len;
	case SHORTER:
		field->len = len ? len - 1 : 0;
		return len;
	case LONGER:
	case LONGER_8:
		field->len += what == LONGER ? 1 : 8;
		return true;
	case ALL_0:
	case ALL_FF:
		memset(copy, what == ALL_0 ? 0 : 0xff, len);
		return len;
	case TOP_BIT:
		copy[len ? len - 1 : 0] ^= 0x80;
		return len;
	case LOW_BIT:
		copy[0] ^= 1;
		return len;
	case ONE:
		memset(copy, 0, len);
		copy[0] = 1;
		return len;
	case BIGGEST:
		memset(copy, 0xff, len);
		copy[len ? len - 1 : 0] = 0x7f;
		return len;
	case NO_NUL:
		copy[len ? len - 1 : 0] = 'x';
		return len;
	case NUL_INSIDE:
		copy[len / 2] = '\0';
		return len > 2;
	default:
		copy[0] = 0xc0;
		return len;
	}
}

static bool change_text(struct field *field, int what)
{
	switch (what) {
	case LONG:
		fill(field, "x", 4097);
		return true;
	case LONGEST:
		fill(field, "\303\244", 65530);
		return true;
	case BAD_FILTER:
		fill(field, "a/#/b", 5);
		return true;
	default:
		fill(field, "+/", 60000);
		return true;
	}
}

static bool change_type(struct field *field, int what)
{
	switch (what) {
	case UNKNOWN:
		field->type = KMQTT_A_MAX_ATTR + 1;
		return true;
	case FAR_UNKNOWN:
		field->type = 0x3fff;
		return true;
	case UNSPEC:
		field->type = 0;
		return true;
	case NESTED:
		field->type ^= NLA_F_NESTED;
		return true;
	case SWAPPED_BYTES:
		field->type ^= NLA_F_NET_BYTEORDER;
		return true;
	default:
		what -= OTHER_TYPE;
		if (what == (field->type & NLA_TYPE_MASK))
			return false;
		field->type = what;
		return true;
	}
}

static bool change_place(struct request *req, int i, int what)
{
	struct field *field = &req->fields[i], other;
	int n;

	switch (what) {
	case DROP:
		remove_field(req, i);
		return true;
	case REPEAT:
		return insert_field(req, i, *field);
	case SWAP:
		if (i + 1 >= req->nr)
			return false;
		other = field[0];
		field[0] = field[1];
		field[1] = other;
		return true;
	case INTO_ITEM:
	case OUT_OF_ITEM:
		if (what == OUT_OF_ITEM && !field->depth)
			return false;
		field->depth += what == INTO_ITEM ? 1 : -1;
		return true;
	default:
		for (n = what == WRAP ? 1 : 10; n; n--) {
			other = (struct field){ KMQTT_A_ITEM | NLA_F_NESTED,
						req->fields[i].depth };
			req->fields[i].depth++;
			if (!insert_field(req, i, other))
				return false;
		}
		return true;
	}
}

static bool change_field(struct request *req, int i, int what, uint8_t *copy)
{
	struct field *field = &req->fields[i];

	switch (what) {
	case LIE_LESS ... LIE_HUGE:
		return change_length(field, what);
	case EMPTY ... BIGGEST:
	case NO_NUL ... NO_UTF8:
		return change_value(field, what, copy);
	case LONG ... MANY_LEVELS:
		return change_text(field, what);
	case UNKNOWN ... SWAPPED_BYTES:
	case OTHER_TYPE ... NR_FIELD_CHANGES - 1:
		return change_type(field, what);
	default:
		return change_place(req, i, what);
	}
}

/* Changes to the headers, by number: what, and to which value. */
static const struct {
	const char *name;
	uint8_t at;
	uint8_t size;
	uint32_t value;
} head_changes[] = {
	{ "length 0", 0, 4, 0 }, { "length 15", 0, 4, 15 },
	{ "length 16", 0, 4, 16 }, { "length 18", 0, 4, 18 },
	{ "length 20", 0, 4, 20 }, { "length 22", 0, 4, 22 },
	{ "length 2^32-1", 0, 4, 0xffffffff }, { "length 2^31", 0, 4, 1u << 31 },
	{ "type NOOP", 4, 2, 1 }, { "type ERROR", 4, 2, 2 },
	{ "type DONE", 4, 2, 3 }, { "type OVERRUN", 4, 2, 4 },
	{ "type of the controller", 4, 2, GENL_ID_CTRL },
	{ "type 0xffff", 4, 2, 0xffff },
	{ "no flags", 6, 2, 0 }, { "no ACK", 6, 2, NLM_F_REQUEST },
	{ "ACK", 6, 2, NLM_F_REQUEST | NLM_F_ACK },
	{ "DUMP", 6, 2, NLM_F_REQUEST | NLM_F_DUMP },
	{ "DUMP and ACK", 6, 2, NLM_F_REQUEST | NLM_F_DUMP | NLM_F_ACK },
	{ "ROOT", 6, 2, NLM_F_REQUEST | NLM_F_ROOT },
	{ "MATCH", 6, 2, NLM_F_REQUEST | NLM_F_MATCH | NLM_F_ACK },
	{ "ATOMIC", 6, 2, NLM_F_REQUEST | NLM_F_DUMP | NLM_F_ATOMIC },
	{ "ECHO", 6, 2, NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO },
	{ "all flags", 6, 2, 0xffff },
	{ "port 1", 12, 4, 1 }, { "version 0", 17, 1, 0 },
	{ "version 255", 17, 1, 255 }, { "reserved", 18, 2, 1 },
};

#define NR_HEAD_CHANGES	(sizeof(head_changes) / sizeof(head_changes[0]))

/* Changes to each byte: bits, bounds, and the message ends before it. */
enum { BYTE_0 = 8, BYTE_FF, BYTE_CUT, BYTE_CUT_FIT, NR_BYTE_CHANGES };

static uint64_t cases_of(const struct request *req, size_t *len)
{
	static struct genl_msg msg;
	struct genl nl = {};

	msg.len = 0;
	request_put(&nl, &msg, req);
	*len = msg.len;
	return (uint64_t)count_fields(req) * NR_FIELD_CHANGES + 256 +
	       NR_HEAD_CHANGES + *len * NR_BYTE_CHANGES;
}

uint64_t request_cases(void)
{
	uint64_t sum = 0;
	size_t len;
	int i;

	for (i = 0; i < nr_requests; i++)
		sum += cases_of(&requests[i], &len);
	return sum;
}

static bool byte_case(struct genl_msg *msg, uint64_t n, char *what)
{
	size_t at = n / NR_BYTE_CHANGES;
	int how = n % NR_BYTE_CHANGES;
	uint32_t len = at;

	sprintf(what, "byte %zu: %d", at, how);
	switch (how) {
	case BYTE_0:
	case BYTE_FF:
		msg->data[at] = how == BYTE_0 ? 0 : 0xff;
		return true;
	case BYTE_CUT_FIT:
		memcpy(msg->data, &len, sizeof(len));
		/* fall through */
	case BYTE_CUT:
		msg->len = at;
		return at;
	default:
		msg->data[at] ^= 1 << how;
		return true;
	}
}

static void head_change(struct genl_msg *msg, size_t at, int i)
{
	memcpy(msg->data + at + head_changes[i].at, &head_changes[i].value,
	       head_changes[i].size);
}

static bool field_case(struct genl *nl, struct genl_msg *msg,
		       struct request *req, uint64_t n, char *what)
{
	int i = n / NR_FIELD_CHANGES, how = n % NR_FIELD_CHANGES;
	uint8_t copy[128];

	what += sprintf(what, "attribute %d (type %d): ", i,
			req->fields[i].type & NLA_TYPE_MASK);
	if (how < OTHER_TYPE)
		sprintf(what, "%s", field_changes[how]);
	else
		sprintf(what, "as type %d", how - OTHER_TYPE);
	if (!change_field(req, i, how, copy))
		return false;
	put_request(nl, msg, req);
	return true;
}

bool request_case(struct genl *nl, struct genl_msg *msg, uint64_t number,
		  char *what)
{
	const struct request *from = requests;
	struct request req;
	uint64_t nr_fields;
	size_t len;
	int said;

	while (number >= cases_of(from, &len))
		number -= cases_of(from++, &len);
	req = *from;
	req.nr = count_fields(from);
	nr_fields = (uint64_t)req.nr * NR_FIELD_CHANGES;
	msg->len = 0;
	said = sprintf(what, "request %td (command %d), ", from - requests,
		       from->cmd);
	if (number < nr_fields)
		return field_case(nl, msg, &req, number, what + said);
	number -= nr_fields;
	request_put(nl, msg, from);
	if (number < 256) {
		sprintf(what + said, "as command %d", (int)number);
		msg->data[NLMSG_HDRLEN] = number;
		return number != from->cmd && number != KMQTT_CMD_BROKER_STOP;
	}
	number -= 256;
	if (number < NR_HEAD_CHANGES) {
		sprintf(what + said, "%s", head_changes[number].name);
		head_change(msg, 0, number);
		return true;
	}
	return byte_case(msg, number - NR_HEAD_CHANGES, what + said);
}

void request_random(struct genl *nl, struct genl_msg *msg, uint64_t *state)
{
	const struct request *from;
	uint8_t copy[4][128];
	struct request req;
	size_t at;
	int i;

	from = &requests[rnd_below(state, nr_requests)];
	/* It ends everything: seldom. */
	if (from->cmd == KMQTT_CMD_BROKER_STOP && !rnd_one_in(state, 20))
		from = &requests[rnd_below(state, nr_requests - 1)];
	req = *from;
	req.nr = count_fields(from);
	for (i = rnd_below(state, 4); i && req.nr; i--)
		change_field(&req, rnd_below(state, req.nr),
			     rnd_below(state, NR_FIELD_CHANGES), copy[i]);
	if (msg->len > GENL_BUF)
		return;
	at = put_request(nl, msg, &req);
	if (rnd_one_in(state, 8))
		head_change(msg, at, rnd_below(state, NR_HEAD_CHANGES));
	if (rnd_one_in(state, 8))
		msg->data[at + rnd_below(state, msg->len - at)] = rnd(state);
	if (rnd_one_in(state, 16))
		msg->len = at + rnd_below(state, msg->len - at);
}
