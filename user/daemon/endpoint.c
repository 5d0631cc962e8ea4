// SPDX-License-Identifier: GPL-2.0
#include "endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/kmqtt.h>

struct endpoint *endpoints_add(struct endpoints *e, const struct endpoint *one)
{
	struct endpoint *list;

	list = realloc(e->list, (e->count + 1) * sizeof(*list));
	if (!list)
		return NULL;
	e->list = list;
	list[e->count] = *one;
	return &list[e->count++];
}

void endpoints_free(struct endpoints *e)
{
	free(e->list);
	e->list = NULL;
	e->count = 0;
}

struct endpoint *endpoints_find(const struct endpoints *e,
				const struct endpoint *one)
{
	for (size_t i = 0; i < e->count; i++) {
		struct endpoint *o = &e->list[i];

		if (o->port == one->port && o->length == one->length &&
		    !memcmp(o->address, one->address, o->length) &&
		    !strcmp(o->path, one->path))
			return o;
	}
	return NULL;
}

static bool is_any(const struct endpoint *e)
{
	static const uint8_t any[16];

	return !memcmp(e->address, any, e->length);
}

bool endpoint_conflicts(const struct endpoint *a, const struct endpoint *b)
{
	if (a->port != b->port || a->length != b->length)
		return false;
	if (*a->path || *b->path)
		return !strcmp(a->path, b->path);
	return is_any(a) || is_any(b) ||
		!memcmp(a->address, b->address, a->length);
}

const char *endpoint_name(const struct endpoint *e)
{
	static char ring[4][sizeof(e->path)];
	static unsigned int turn;
	char *buf = ring[turn++ % 4];
	char address[INET6_ADDRSTRLEN] = "?";

	if (*e->path)
		return diag_quote(e->path);
	inet_ntop(e->length == 4 ? AF_INET : AF_INET6, e->address, address,
		  sizeof(address));
	snprintf(buf, sizeof(ring[0]), "%s port %u", address, e->port);
	return buf;
}

/* fills in the address; a family that is not IP, or a scope, is refused */
static int endpoint_take(struct endpoint *one, const struct addrinfo *ai)
{
	if (ai->ai_family == AF_INET) {
		const struct sockaddr_in *in = (void *)ai->ai_addr;

		one->length = 4;
		memcpy(one->address, &in->sin_addr, 4);
		return 0;
	}
	if (ai->ai_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (void *)ai->ai_addr;

		if (in6->sin6_scope_id ||
		    IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
			return -1;
		one->length = 16;
		memcpy(one->address, &in6->sin6_addr, 16);
		return 0;
	}
	return -1;
}

static int endpoint_put(struct endpoints *e, struct endpoint *one,
			struct diag *diag)
{
	const struct config_listener *l = one->from;
	const struct endpoint *other = endpoints_find(e, one);

	if (other && other->from == l)
		return 0;	/* a name with an address twice */
	if (other && other->from->place.file)
		return diag_error(diag, l->place.file, l->place.line,
				  "%s is a listener already, from line %d of %s",
				  endpoint_name(one), other->from->place.line,
				  other->from->place.file);
	if (other)
		return diag_error(diag, l->place.file, l->place.line,
				  "%s is a listener already",
				  endpoint_name(one));
	if (!endpoints_add(e, one))
		return diag_error(diag, NULL, 0, "out of memory");
	return 0;
}

static int resolve_host(struct endpoints *e, struct endpoint *one,
			struct diag *diag)
{
	const struct config_listener *l = one->from;
	struct addrinfo hints = {
		.ai_family = l->family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE,
	};
	struct addrinfo *list, *ai;
	int ret, taken = 0, err = 0;

	ret = getaddrinfo(l->host, NULL, &hints, &list);
	if (ret)
		return diag_error(diag, l->place.file, l->place.line,
				  "\"%s\" is no address, and no name that resolves: %s",
				  diag_quote(l->host), gai_strerror(ret));
	for (ai = list; ai && !err; ai = ai->ai_next) {
		if (endpoint_take(one, ai) < 0)
			continue;
		taken++;
		err = endpoint_put(e, one, diag);
	}
	freeaddrinfo(list);
	if (!taken)
		return diag_error(diag, l->place.file, l->place.line,
				  "\"%s\" is a link-local address: name one that needs no interface",
				  diag_quote(l->host));
	return err;
}

static int resolve_path(struct endpoints *e, struct endpoint *one,
			struct diag *diag)
{
	snprintf(one->path, sizeof(one->path), "%s", one->from->host);
	return endpoint_put(e, one, diag);
}

/* all addresses, or all of the loopback, of the wanted families */
static int resolve_wildcard(struct endpoints *e, struct endpoint *one,
			    struct diag *diag)
{
	const struct config_listener *l = one->from;
	uint32_t v4 = htonl(l->local ? INADDR_LOOPBACK : INADDR_ANY);

	if (l->family != AF_INET6) {
		one->length = 4;
		memcpy(one->address, &v4, 4);
		one->optional = false;
		if (endpoint_put(e, one, diag) < 0)
			return -1;
	}
	if (l->family != AF_INET) {
		one->length = 16;
		memcpy(one->address, l->local ? &in6addr_loopback :
		       &in6addr_any, 16);
		one->optional = l->family == AF_UNSPEC;
		if (endpoint_put(e, one, diag) < 0)
			return -1;
	}
	return 0;
}

int endpoints_resolve(struct endpoints *e, const struct config *c,
		      struct diag *diag)
{
	bool users = c->passwords.path;
	int ret = 0;

	memset(e, 0, sizeof(*e));
	for (size_t i = 0; i < c->listener_count; i++) {
		const struct config_listener *l = &c->listeners[i];
		struct endpoint one = {
			.port = l->port,
			.max_connections = l->max_connections,
			.from = l,
			.anonymous = config_anonymous(c, l),
		};

		/* with nothing to check, the module need not ask */
		one.auth_mode = one.anonymous && !users ? KMQTT_AUTH_OPEN :
			KMQTT_AUTH_AUTHORITY;
		if (!l->port)
			ret |= resolve_path(e, &one, diag);
		else if (l->host)
			ret |= resolve_host(e, &one, diag);
		else
			ret |= resolve_wildcard(e, &one, diag);
	}
	if (ret)
		endpoints_free(e);
	return ret ? -1 : 0;
}
