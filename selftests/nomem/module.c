// SPDX-License-Identifier: GPL-2.0
#include "module.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <linux/kmqtt.h>

#include "alloc.h"
#include "nlsock.h"

#define LISTENER_ID	1	/* that questions are about */
#define RETAINED	8	/* messages, or clients */

struct module *module;

static const struct {
	const char *name;
	uint64_t initial, min, max;
} settings[] = {
	{ "max_inflight", 20, 1, 65535 },
	{ "receive_maximum", 20, 1, 65535 },
	{ "max_queued_messages", 1000, 0, 1u << 31 },
	{ "max_keepalive", 65535, 0, 65535 },
	{ "maximum_qos", 2, 0, 2 },
	{ "session_expiry_max", UINT32_MAX, 0, UINT32_MAX },
};

#define SETTINGS	(sizeof(settings) / sizeof(*settings))

/*
 * Messages to one socket; a datagram goes when the next would not fit. The
 * kernel needs memory for a part of a dump, without which there is no other,
 * and for an acknowledgement; for any other answer it has it beforehand.
 */
struct answer {
	int fd;
	const struct nlmsghdr *request;
	bool needs_memory;
	bool lost;
	size_t size;
	struct nlmsghdr *nlh;
	_Alignas(struct nlmsghdr) char data[65536];
};

void module_reset(struct module *m)
{
	memset(m, 0, sizeof(*m));
	for (size_t i = 0; i < SETTINGS; i++)
		m->settings[i] = settings[i].initial;
	m->authority = -1;
	m->payload = 4;
}

const struct module_listener *module_listener(const struct module *m,
					      uint16_t port)
{
	for (int i = 0; i < MODULE_LISTENERS; i++) {
		if (m->listeners[i].id && m->listeners[i].port == port)
			return &m->listeners[i];
	}
	return NULL;
}

uint64_t module_setting(const struct module *m, const char *name)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		if (!strcmp(settings[i].name, name))
			return m->settings[i];
	}
	abort();
}

static bool flush(struct answer *a)
{
	size_t size = a->size;

	a->size = 0;
	if (!size)
		return true;
	if (a->needs_memory && !a->lost && !module->has_memory &&
	    alloc_fails()) {
		nlsock_lose(a->fd);
		a->lost = true;
	}
	return !a->lost && nlsock_push(a->fd, a->data, size);
}

static void begin(struct answer *a, int type, int cmd)
{
	struct genlmsghdr gh = { .cmd = cmd, .version = KMQTT_GENL_VERSION };

	/* the end of a dump goes with its last part */
	if (a->size > 8192 && type != NLMSG_DONE)
		flush(a);
	a->nlh = (struct nlmsghdr *)(a->data + a->size);
	*a->nlh = (struct nlmsghdr){ NLMSG_HDRLEN, type, NLM_F_MULTI,
		a->request ? a->request->nlmsg_seq : 0, 0 };
	a->size += NLMSG_HDRLEN;
	if (cmd) {
		memcpy(a->data + a->size, &gh, sizeof(gh));
		a->size += GENL_HDRLEN;
		a->nlh->nlmsg_len += GENL_HDRLEN;
	}
}

static void put(struct answer *a, int type, const void *data, size_t len)
{
	struct nlattr nla = { NLA_HDRLEN + len, type };

	memcpy(a->data + a->size, &nla, sizeof(nla));
	memcpy(a->data + a->size + NLA_HDRLEN, data, len);
	a->size += NLA_ALIGN(NLA_HDRLEN + len);
	a->nlh->nlmsg_len += NLA_ALIGN(NLA_HDRLEN + len);
}

#define PUT(a, type, kind, value) do {					\
	kind put_value = (value);					\
									\
	put(a, KMQTT_A_##type, &put_value, sizeof(put_value));		\
} while (0)

static void put_string(struct answer *a, int type, const char *s)
{
	put(a, type, s, strlen(s) + 1);
}

static void end(struct answer *a, int error)
{
	bool dump = a->request->nlmsg_flags & NLM_F_DUMP;

	if (!dump && !error && !(a->request->nlmsg_flags & NLM_F_ACK)) {
		flush(a);
		return;
	}
	if (!dump)
		flush(a);
	a->needs_memory = true;
	begin(a, dump && !error ? NLMSG_DONE : NLMSG_ERROR, 0);
	memcpy(a->data + a->size, &error, sizeof(error));
	memcpy(a->data + a->size + sizeof(error), a->request,
	       sizeof(*a->request));
	a->size += sizeof(struct nlmsgerr);
	a->nlh->nlmsg_len += sizeof(struct nlmsgerr);
	a->nlh->nlmsg_flags = NLM_F_CAPPED;
	flush(a);
}

static struct nlattr *find(const struct nlmsghdr *nlh, int type)
{
	return nlmsg_find_attr((struct nlmsghdr *)nlh, GENL_HDRLEN, type);
}

static uint32_t find_u32(const struct nlmsghdr *nlh, int type)
{
	struct nlattr *a = find(nlh, type);

	return a ? nla_get_u32(a) : 0;
}

static struct module_listener *by_id(uint32_t id)
{
	for (int i = 0; i < MODULE_LISTENERS; i++) {
		if (module->listeners[i].id == id)
			return &module->listeners[i];
	}
	return NULL;
}

static void listener_change(struct module_listener *l,
			    const struct nlmsghdr *nlh)
{
	struct nlattr *mode = find(nlh, KMQTT_A_AUTH_MODE);
	struct nlattr *max = find(nlh, KMQTT_A_MAX_CONNECTIONS);

	if (mode)
		l->auth_mode = nla_get_u8(mode);
	if (max)
		l->max_connections = nla_get_u32(max);
	module->changes++;
}

static int listener_new(const struct nlmsghdr *nlh, struct answer *a)
{
	struct nlattr *address = find(nlh, KMQTT_A_ADDRESS);
	struct nlattr *port = find(nlh, KMQTT_A_PORT);
	struct module_listener *l = by_id(0);

	if (!address || !port || !l)
		return -EINVAL;
	for (int i = 0; i < MODULE_LISTENERS; i++) {
		const struct module_listener *o = &module->listeners[i];

		if (o->id && o->port == nla_get_u16(port) &&
		    o->length == nla_len(address) &&
		    !memcmp(o->address, nla_data(address), o->length))
			return -EADDRINUSE;
	}
	l->id = ++module->last_id;
	l->length = nla_len(address);
	memcpy(l->address, nla_data(address), l->length);
	l->port = nla_get_u16(port);
	listener_change(l, nlh);
	begin(a, NLSOCK_FAMILY, KMQTT_CMD_LISTENER_NEW);
	PUT(a, LISTENER_ID, uint32_t, l->id);
	return 0;
}

static int listener_set(const struct nlmsghdr *nlh, bool delete)
{
	uint32_t id = find_u32(nlh, KMQTT_A_LISTENER_ID);
	struct module_listener *l = id ? by_id(id) : NULL;

	if (!l)
		return -ENOENT;
	listener_change(l, nlh);
	if (delete)
		memset(l, 0, sizeof(*l));
	return 0;
}

static void listener_get(struct answer *a)
{
	for (int i = 0; i < MODULE_LISTENERS; i++) {
		const struct module_listener *l = &module->listeners[i];

		if (!l->id)
			continue;
		begin(a, NLSOCK_FAMILY, KMQTT_CMD_LISTENER_NEW);
		PUT(a, LISTENER_ID, uint32_t, l->id);
		put(a, KMQTT_A_ADDRESS, l->address, l->length);
		PUT(a, PORT, uint16_t, l->port);
		PUT(a, AUTH_MODE, uint8_t, l->auth_mode);
		PUT(a, MAX_CONNECTIONS, uint32_t, l->max_connections);
		PUT(a, CONNECTIONS, uint32_t, 3);
	}
}

static void config_get(struct answer *a)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		begin(a, NLSOCK_FAMILY, KMQTT_CMD_CONFIG_SET);
		put_string(a, KMQTT_A_NAME, settings[i].name);
		PUT(a, VALUE, uint64_t, module->settings[i]);
		PUT(a, DEFAULT, uint64_t, settings[i].initial);
		PUT(a, MIN, uint64_t, settings[i].min);
		PUT(a, MAX, uint64_t, settings[i].max);
		put_string(a, KMQTT_A_HELP, "what it means");
	}
}

/* all of them or none */
static int config_set(const struct nlmsghdr *nlh)
{
	uint64_t values[SETTINGS];
	struct nlattr *item, *name, *value;
	size_t i;
	int left;

	memcpy(values, module->settings, sizeof(values));
	nlmsg_for_each_attr(item, (struct nlmsghdr *)nlh, GENL_HDRLEN, left) {
		name = nla_find(nla_data(item), nla_len(item), KMQTT_A_NAME);
		value = nla_find(nla_data(item), nla_len(item), KMQTT_A_VALUE);
		if (!name || !value)
			return -EINVAL;
		for (i = 0; i < SETTINGS; i++) {
			if (!strcmp(settings[i].name, nla_get_string(name)))
				break;
		}
		if (i == SETTINGS)
			return -ENOENT;
		values[i] = nla_get_u64(value);
		if (values[i] < settings[i].min || values[i] > settings[i].max)
			return -ERANGE;
	}
	memcpy(module->settings, values, sizeof(values));
	module->changes++;
	return 0;
}

static int acl_set(const struct nlmsghdr *nlh)
{
	uint32_t flags = find_u32(nlh, KMQTT_A_ACL_FLAGS);
	struct nlattr *attr;
	int left;

	if (flags & KMQTT_ACL_START) {
		module->staged = 0;
		module->staging = true;
	}
	if (flags & KMQTT_ACL_COMMIT && !module->staging)
		return -EINVAL;
	nlmsg_for_each_attr(attr, (struct nlmsghdr *)nlh, GENL_HDRLEN, left)
		module->staged += nla_type(attr) == KMQTT_A_ITEM;
	if (flags & KMQTT_ACL_COMMIT) {
		module->rules = module->staged;
		module->rules_on = true;
		module->staged = 0;
		module->staging = false;
	} else if (flags & KMQTT_ACL_OFF) {
		module->rules = 0;
		module->rules_on = false;
	}
	module->changes += flags & (KMQTT_ACL_COMMIT | KMQTT_ACL_OFF) ? 1 : 0;
	return 0;
}

static void acl_get(struct answer *a)
{
	struct {
		struct nlattr nla;
		uint8_t access;
		uint8_t pad[3];
	} item = { { NLA_HDRLEN + 1, KMQTT_A_ACCESS }, KMQTT_ACCESS_ALL };

	begin(a, NLSOCK_FAMILY, KMQTT_CMD_ACL_SET);
	put(a, KMQTT_A_ITEM | NLA_F_NESTED, &item, sizeof(item));
}

static void clients_get(struct answer *a, int cmd)
{
	static const char *const ids[] = { "plc-1", "", "a b\n", "\xc3\xa4" };
	static const char payload[UINT16_MAX] = "\xff\xfe\x00x";

	for (size_t i = 0; i < RETAINED; i++) {
		begin(a, NLSOCK_FAMILY, cmd);
		put_string(a, KMQTT_A_CLIENT_ID, ids[i % 4]);
		put_string(a, KMQTT_A_USERNAME, "hall 2");
		put_string(a, KMQTT_A_TOPIC, "plant/1");
		put_string(a, KMQTT_A_FILTER, "plant/+");
		put_string(a, KMQTT_A_NAME, "bytes_in");
		put_string(a, KMQTT_A_HELP, "bytes");
		PUT(a, VERSION, uint8_t, 5);
		PUT(a, ADDRESS, uint32_t, 0x0100007f);
		PUT(a, PORT, uint16_t, 4000);
		PUT(a, VALUE, uint64_t, 7);
		PUT(a, OPTIONS, uint8_t, 0x2c);
		PUT(a, EXPIRY, uint32_t, 77);
		PUT(a, SIZE, uint32_t, 3000);
		put(a, KMQTT_A_PAYLOAD, payload,
		    i < RETAINED - 2 ? 4 : module->payload);
	}
}

int module_ask(const char *user, const char *password, const char *method)
{
	static struct answer a;
	int nr = module->questions++;

	a = (struct answer){ .fd = module->authority };
	begin(&a, NLSOCK_FAMILY, KMQTT_CMD_AUTH_REQUEST);
	PUT(&a, REQUEST_ID, uint64_t, nr);
	PUT(&a, LISTENER_ID, uint32_t, LISTENER_ID);
	put_string(&a, KMQTT_A_CLIENT_ID, "client");
	PUT(&a, ADDRESS, uint32_t, 0x0100007f);
	PUT(&a, PORT, uint16_t, 4000);
	if (user)
		put_string(&a, KMQTT_A_USERNAME, user);
	if (password)
		put(&a, KMQTT_A_PASSWORD, password, strlen(password));
	if (method)
		put_string(&a, KMQTT_A_AUTH_METHOD, method);
	module->answers[nr] = MODULE_UNANSWERED;
	flush(&a);
	return nr;
}

bool module_event(void)
{
	static struct answer a;

	a = (struct answer){ .fd = nlsock_member(NLSOCK_EVENTS) };
	begin(&a, NLSOCK_FAMILY, KMQTT_CMD_EVENT);
	PUT(&a, EVENT_TYPE, uint8_t, KMQTT_EVENT_CONNECTED);
	put_string(&a, KMQTT_A_CLIENT_ID, "plc-1");
	put_string(&a, KMQTT_A_USERNAME, "hall 2");
	return flush(&a);
}

static int authority_set(int fd)
{
	if (module->authority == fd)
		return 0;
	if (module->authority >= 0)
		return -EBUSY;
	module->authority = fd;
	/* asked before the request is answered, as a waiting client is */
	module_ask(NULL, NULL, NULL);
	return 0;
}

static int auth_reply(const struct nlmsghdr *nlh)
{
	struct nlattr *id = find(nlh, KMQTT_A_REQUEST_ID);
	struct nlattr *reason = find(nlh, KMQTT_A_REASON);

	if (!id || !reason || nla_get_u64(id) >= MODULE_QUESTIONS)
		return -EINVAL;
	if (module->answers[nla_get_u64(id)] != MODULE_UNANSWERED)
		return -ENOENT;
	module->answers[nla_get_u64(id)] = nla_get_u8(reason);
	return 0;
}

static int act(int fd, const struct nlmsghdr *nlh, struct answer *a)
{
	const struct genlmsghdr *gh = NLMSG_DATA(nlh);

	switch (gh->cmd) {
	case KMQTT_CMD_LISTENER_NEW:
		return listener_new(nlh, a);
	case KMQTT_CMD_LISTENER_SET:
	case KMQTT_CMD_LISTENER_DEL:
		return listener_set(nlh, gh->cmd == KMQTT_CMD_LISTENER_DEL);
	case KMQTT_CMD_LISTENER_GET:
		listener_get(a);
		return 0;
	case KMQTT_CMD_CONFIG_GET:
		config_get(a);
		return 0;
	case KMQTT_CMD_CONFIG_SET:
		return config_set(nlh);
	case KMQTT_CMD_ACL_SET:
		return acl_set(nlh);
	case KMQTT_CMD_ACL_GET:
		acl_get(a);
		return 0;
	case KMQTT_CMD_AUTHORITY_SET:
		return authority_set(fd);
	case KMQTT_CMD_AUTH_REPLY:
		return auth_reply(nlh);
	case KMQTT_CMD_BROKER_STOP:
		module->stopped = true;
		module->changes++;
		return 0;
	case KMQTT_CMD_CLIENT_GET:
	case KMQTT_CMD_SESSION_GET:
	case KMQTT_CMD_SUBSCRIPTION_GET:
	case KMQTT_CMD_RETAINED_GET:
	case KMQTT_CMD_STATS_GET:
		clients_get(a, gh->cmd);
		return 0;
	case KMQTT_CMD_CLIENT_DEL:
	case KMQTT_CMD_SESSION_DEL:
		module->changes++;
		return 0;
	case KMQTT_CMD_RETAINED_DEL:
		module->changes++;
		begin(a, NLSOCK_FAMILY, gh->cmd);
		PUT(a, COUNT, uint32_t, 4);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

void nlsock_request(int fd, const struct nlmsghdr *request)
{
	static struct answer a;

	a.fd = fd;
	a.request = request;
	a.needs_memory = request->nlmsg_flags & NLM_F_DUMP;
	a.lost = false;
	a.size = 0;
	end(&a, act(fd, request, &a));
}

void nlsock_closed(int fd)
{
	if (module && module->authority == fd)
		module->authority = -1;
}
