// SPDX-License-Identifier: GPL-2.0
#include "parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "escape.h"

static const char *shown(const char *text)
{
	/* the program ends soon, or shows few of them: never freed */
	return escape_text(text, strlen(text), 80);
}

static uint16_t parse_port(const struct ctl *ctl, const char *text)
{
	uint64_t port = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9' && port <= 65535; p++)
		port = port * 10 + (*p - '0');
	if (p == text || *p || port < 1 || port > 65535)
		ctl_usage(ctl, "port %s is not a number from 1 to 65535",
			  shown(text));
	return port;
}

/* the address without its port and brackets is no address: say why */
static void bad_address(const struct ctl *ctl, const char *text,
			const char *host)
	__attribute__((noreturn));

static void bad_address(const struct ctl *ctl, const char *text,
			const char *host)
{
	if (!*host || !strcmp(host, "*"))
		ctl_usage(ctl,
			  "%s has no address: all of IPv4's is 0.0.0.0, all of IPv6's is [::]",
			  shown(text));
	if (strchr(host, '%'))
		ctl_usage(ctl,
			  "%s: an address with a zone (%%) cannot be listened on",
			  shown(text));
	ctl_usage(ctl,
		  "%s is not an address as 192.0.2.1 or [2001:db8::1]; names are not looked up",
		  shown(host));
}

/* what begins like a path: else it is an address */
static bool parse_path(const struct ctl *ctl, const char *text,
		       struct endpoint *ep)
{
	const size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	bool prefix = !strncmp(text, PATH_PREFIX, strlen(PATH_PREFIX));

	if (prefix)
		text += strlen(PATH_PREFIX);
	else if (!strchr(text, '/'))
		return false;
	if (*text != '/')
		ctl_usage(ctl, "the path of a Unix socket begins with /, unlike %s",
			  shown(text));
	if (strlen(text) > max)
		ctl_usage(ctl, "the path of a Unix socket has at most %zu bytes, not the %zu of %s",
			  max, strlen(text), shown(text));
	ep->path = text;
	return true;
}

void parse_endpoint(const struct ctl *ctl, const char *text,
		    struct endpoint *ep)
{
	const char *port, *first, *end;
	char host[64];
	size_t len;
	int family;

	memset(ep, 0, sizeof(*ep));
	if (parse_path(ctl, text, ep))
		return;
	if (*text == '[') {
		end = strchr(text, ']');
		if (!end)
			ctl_usage(ctl, "%s lacks a ]", shown(text));
		first = text + 1;
		port = end + 1;
		family = AF_INET6;
	} else {
		end = strrchr(text, ':');
		first = text;
		port = end ? end : text + strlen(text);
		if (end && strchr(text, ':') != end)
			ctl_usage(ctl,
				  "%s: an IPv6 address needs brackets, as [::1]:1883",
				  shown(text));
		family = AF_INET;
	}
	if (*port != ':') {
		if (*port)
			ctl_usage(ctl, "%s: only a : and a port may follow the ]",
				  shown(text));
		ctl_usage(ctl,
			  "%s has no %s: give both, as 127.0.0.1:1883 or [::1]:1883",
			  shown(text), text[strspn(text, "0123456789")] ?
			  "port" : "address");
	}
	len = end - first;
	snprintf(host, sizeof(host), "%.*s",
		 (int)(len < sizeof(host) ? len : sizeof(host) - 1), first);
	if (inet_pton(family, host, ep->addr) != 1)
		bad_address(ctl, text, host);
	ep->len = family == AF_INET ? 4 : 16;
	ep->port = parse_port(ctl, port + 1);
}

void format_endpoint(char text[ENDPOINT_TEXT], const void *addr, int len,
		     unsigned int port)
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (len == 4 || len == 16)
		inet_ntop(len == 4 ? AF_INET : AF_INET6, addr, host,
			  sizeof(host));
	snprintf(text, ENDPOINT_TEXT, len == 16 ? "[%s]:%u" : "%s:%u", host,
		 port);
}

uint64_t parse_u64(const struct ctl *ctl, const char *what, const char *text,
		   uint64_t min, uint64_t max)
{
	static const char units[] = "KMG";
	unsigned int shift = 0;
	const char *unit;
	uint64_t v = 0;
	char *end;

	errno = 0;
	/* strtoull() takes signs, spaces and octal, which nobody means */
	if (*text >= '0' && *text <= '9')
		v = strtoull(text, &end, !strncmp(text, "0x", 2) ? 16 : 10);
	else
		end = (char *)text;
	if (end != text && *end) {
		unit = strchr(units, *end & ~0x20);
		if (unit && *unit && !end[1]) {
			shift = 10 * (unit - units + 1);
			end++;
		}
	}
	if (end == text || *end)
		ctl_usage(ctl, "%s must be a number, not %s", what,
			  shown(text));
	if (errno == ERANGE || v > UINT64_MAX >> shift || v << shift < min ||
	    v << shift > max)
		ctl_usage(ctl, "%s must be from %" PRIu64 " to %" PRIu64 ", not %s",
			  what, min, max, shown(text));
	return v << shift;
}

static const char *const auth_modes[] = {
	[KMQTT_AUTH_REFUSE] = "refuse",
	[KMQTT_AUTH_OPEN] = "open",
	[KMQTT_AUTH_AUTHORITY] = "authority",
	NULL
};

uint8_t parse_auth_mode(const struct ctl *ctl, const char *text)
{
	return ctl_keyword(ctl, text, auth_modes);
}

const char *auth_mode_name(unsigned int mode)
{
	return mode <= KMQTT_AUTH_MODE_MAX ? auth_modes[mode] : "?";
}

const char *version_name(unsigned int version)
{
	switch (version) {
	case 3:
		return "3.1";
	case 4:
		return "3.1.1";
	case 5:
		return "5.0";
	default:
		return "?";
	}
}

void format_duration(char text[DURATION_TEXT], uint64_t ms)
{
	uint64_t s = ms / 1000;

	if (s < 60)
		snprintf(text, DURATION_TEXT, "%" PRIu64 ".%us", s,
			 (unsigned int)(ms % 1000 / 100));
	else if (s < 3600)
		snprintf(text, DURATION_TEXT, "%um%02us",
			 (unsigned int)(s / 60), (unsigned int)(s % 60));
	else if (s < 86400)
		snprintf(text, DURATION_TEXT, "%uh%02um",
			 (unsigned int)(s / 3600), (unsigned int)(s / 60 % 60));
	else
		snprintf(text, DURATION_TEXT, "%" PRIu64 "d%02uh", s / 86400,
			 (unsigned int)(s / 3600 % 24));
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int word_distance(const char *a, const char *b)
{
	enum { LONGEST = 64 };
	unsigned int row[3][LONGEST + 1];
	size_t la = strlen(a), lb = strlen(b), i, j;
	unsigned int *old = row[0], *last = row[1], *now = row[2], *swap;

	if (la > LONGEST || lb > LONGEST)
		return LONGEST;
	for (j = 0; j <= lb; j++)
		last[j] = j;
	for (i = 1; i <= la; i++) {
		now[0] = i;
		for (j = 1; j <= lb; j++) {
			now[j] = least(last[j], now[j - 1]) + 1;
			now[j] = least(now[j], last[j - 1] +
				       (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = least(now[j], old[j - 2] + 1);
		}
		swap = old;
		old = last;
		last = now;
		now = swap;
	}
	return last[lb];
}
