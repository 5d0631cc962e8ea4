// SPDX-License-Identifier: GPL-2.0
#include "peer.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/kmqtt.h>

#include "diag.h"

__attribute__((format(printf, 3, 4)))
static void append(char *buf, size_t size, const char *fmt, ...)
{
	size_t n = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + n, size - n, fmt, ap);
	va_end(ap);
}

const char *peer_text(struct nlattr **attrs, char *buf, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "";
	struct nlattr *a = attrs[KMQTT_A_ADDRESS];

	snprintf(buf, size, "client");
	if (attrs[KMQTT_A_CLIENT_ID])
		append(buf, size, " %s",
		       diag_quote(nla_get_string(attrs[KMQTT_A_CLIENT_ID])));
	if (attrs[KMQTT_A_USERNAME])
		append(buf, size, " (user %s)",
		       diag_quote(nla_get_string(attrs[KMQTT_A_USERNAME])));
	if (a && nla_len(a) == 4)
		inet_ntop(AF_INET, nla_data(a), address, sizeof(address));
	else if (a && nla_len(a) == 16)
		inet_ntop(AF_INET6, nla_data(a), address, sizeof(address));
	if (address[0])
		append(buf, size, " from %s", address);
	if (attrs[KMQTT_A_PATH])
		append(buf, size, " from %s",
		       diag_quote(nla_get_string(attrs[KMQTT_A_PATH])));
	if (address[0] && attrs[KMQTT_A_PORT])
		append(buf, size, " port %u",
		       nla_get_u16(attrs[KMQTT_A_PORT]));
	return buf;
}
