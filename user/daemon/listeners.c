// SPDX-License-Identifier: GPL-2.0
/*
 * Keywords about listeners. They are about the last "listener" line, and
 * before any about the one that "port" and "bind_address" describe.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "parse.h"
#include "text.h"

#define DEFAULT_PORT	1883

static struct config_listener *listener_add(struct parser *p)
{
	struct config *c = p->config;
	struct config_listener *l;

	if (c->listener_count >= CONFIG_LISTENERS_MAX) {
		parse_error(p, "there are more than %d listeners",
			    CONFIG_LISTENERS_MAX);
		return NULL;
	}
	l = realloc(c->listeners, (c->listener_count + 1) * sizeof(*l));
	if (!l) {
		parse_error(p, "out of memory");
		return NULL;
	}
	c->listeners = l;
	l += c->listener_count++;
	memset(l, 0, sizeof(*l));
	l->place = p->place;
	return l;
}

static struct config_listener *listener_current(struct parser *p)
{
	if (p->listener)
		return &p->config->listeners[p->listener - 1];
	return &p->plain;
}

/* the rest of a line "listener 0 PATH" */
static int check_path(struct parser *p, const char *path)
{
	if (!*path)
		return parse_error(p,
				   "listener 0 needs the path of a Unix socket: with TCP, name the port");
	if (*path != '/')
		return parse_error(p,
				   "the path of a Unix socket begins with /, unlike \"%s\"",
				   diag_quote(path));
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return parse_error(p,
				   "the path of a Unix socket has at most %zu bytes, this one %zu",
				   sizeof(((struct sockaddr_un *)0)->sun_path) -
				   1, strlen(path));
	return 0;
}

int parse_listener(struct parser *p, const struct keyword *k, char *value)
{
	char *rest = value;
	char *port = text_word(&rest);
	struct config_listener *l;
	uint64_t n;

	p->explicit = true;
	if (parse_number(p, k->name, port, 0, 65535, &n) < 0)
		return -1;
	if (n && *rest == '/')
		return parse_error(p,
				   "a listener on a Unix socket has port 0: listener 0 %s",
				   diag_quote(rest));
	if (*rest == '#' || strpbrk(rest, " \t"))
		return parse_error(p,
				   "listener takes a port and one address, not \"%s\": a comment needs a line of its own",
				   diag_quote(rest));
	if (!n && check_path(p, rest) < 0)
		return -1;
	l = listener_add(p);
	if (!l)
		return -1;
	p->listener = p->config->listener_count;
	l->port = n;
	if (*rest) {
		l->host = strdup(rest);
		if (!l->host)
			return parse_error(p, "out of memory");
	}
	return 0;
}

int parse_port(struct parser *p, const struct keyword *k, char *value)
{
	uint64_t n;

	if (p->plain_port.line)
		return parse_error(p,
				   "port was already given in line %d of %s: use listener for further ones",
				   p->plain_port.line, p->plain_port.file);
	if (parse_number(p, k->name, value, 1, 65535, &n) < 0)
		return -1;
	p->plain.port = n;
	p->plain_port = p->place;
	return 0;
}

int parse_bind_address(struct parser *p, const struct keyword *k, char *value)
{
	if (p->plain_bind.line)
		return parse_error(p,
				   "%s was already given in line %d of %s: use listener for further ones",
				   k->name, p->plain_bind.line,
				   p->plain_bind.file);
	p->plain.host = strdup(value);
	if (!p->plain.host)
		return parse_error(p, "out of memory");
	p->plain_bind = p->place;
	return 0;
}

int parse_max_connections(struct parser *p, const struct keyword *k,
			  char *value)
{
	uint64_t n = 0;

	/* Mosquitto writes "no limit" as -1 */
	if (strcmp(value, "-1") &&
	    parse_number(p, k->name, value, 1, INT32_MAX, &n) < 0)
		return -1;
	if (!p->listener)
		p->plain_limit = p->place;
	listener_current(p)->max_connections = n;
	return 0;
}

int parse_socket_domain(struct parser *p, const struct keyword *k,
			char *value)
{
	int family;

	if (!strcmp(value, "ipv4"))
		family = AF_INET;
	else if (!strcmp(value, "ipv6"))
		family = AF_INET6;
	else
		return parse_error(p, "%s is ipv4 or ipv6, not \"%s\"",
				   k->name, diag_quote(value));
	listener_current(p)->family = family;
	return 0;
}

/* a loopback listener that no file asks for */
static int local_add(struct parser *p, uint16_t port)
{
	struct config_listener *l = listener_add(p);

	if (!l)
		return -1;
	l->port = port;
	l->local = true;
	l->family = p->plain.family;
	l->max_connections = p->plain.max_connections;
	return 0;
}

static int plain_add(struct parser *p)
{
	struct config_listener *l = listener_add(p);

	if (!l)
		return -1;
	*l = p->plain;
	p->plain.host = NULL;
	if (!l->port)
		l->port = DEFAULT_PORT;
	l->place = p->plain_bind.line ? p->plain_bind : p->plain_port;
	return 0;
}

int parse_listeners_end(struct parser *p,
			const struct config_options *options)
{
	bool plain = p->plain_port.line || p->plain_bind.line;

	memset(&p->place, 0, sizeof(p->place));
	if (plain && plain_add(p) < 0)
		return -1;
	if (p->explicit && !plain && p->plain_limit.line)
		diag_warning(p->diag, p->plain_limit.file, p->plain_limit.line,
			     "max_connections here is about no listener: put it after the listener line it is meant for");
	for (size_t i = 0; i < options->port_count; i++) {
		if (local_add(p, options->ports[i]) < 0)
			return -1;
	}
	if (p->config->listener_count || p->explicit)
		return 0;
	return local_add(p, DEFAULT_PORT);
}
