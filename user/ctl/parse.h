/* SPDX-License-Identifier: GPL-2.0 */
/* parse: texts of the user to values and back, with exact messages */
#ifndef KMQTT_CTL_PARSE_H
#define KMQTT_CTL_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "ctl.h"

/**
 * struct endpoint - an address and port, or a path
 * @path: of a Unix socket, or NULL
 * @addr: in network byte order
 * @len: bytes of @addr: 4 or 16
 * @port: in host byte order
 */
struct endpoint {
	const char *path;
	unsigned char addr[16];
	int len;
	uint16_t port;
};

/**
 * parse_endpoint() - "192.0.2.1:1883", "[2001:db8::1]:1883", or the path of a
 * Unix socket as "/run/mqtt" or "unix:/run/mqtt"
 * @ctl: run
 * @text: what the user typed
 * @ep: gets it
 *
 * The program ends with a message if it is anything else.
 */
void parse_endpoint(const struct ctl *ctl, const char *text,
		    struct endpoint *ep);

/* what shows that a path is that of a socket, not of a file to read */
#define PATH_PREFIX	"unix:"

/* room for the longest text of format_endpoint() */
#define ENDPOINT_TEXT	56

/** format_endpoint() - the text that parse_endpoint() reads */
void format_endpoint(char text[ENDPOINT_TEXT], const void *addr, int len,
		     unsigned int port);

/**
 * parse_u64() - a number
 * @ctl: run
 * @what: its name, for the message
 * @text: decimal or 0x...; K, M and G after it are 1024, its square and cube
 * @min: least
 * @max: most
 *
 * Return: the number; the program ends if it is none or out of range.
 */
uint64_t parse_u64(const struct ctl *ctl, const char *what, const char *text,
		   uint64_t min, uint64_t max);

/** parse_reason() - a reason code of a server's DISCONNECT, or its name */
uint8_t parse_reason(const struct ctl *ctl, const char *text);

/** reason_name() - such as "administrative-action", or NULL */
const char *reason_name(uint8_t code);

/** parse_auth_mode() - "refuse", "open" or "authority" */
uint8_t parse_auth_mode(const struct ctl *ctl, const char *text);

/** auth_mode_name() - the word of an enum kmqtt_auth_mode */
const char *auth_mode_name(unsigned int mode);

/** version_name() - "3.1", "3.1.1" or "5.0" of an MQTT version byte */
const char *version_name(unsigned int version);

/* room for the longest text of format_duration() */
#define DURATION_TEXT	32

/** format_duration() - milliseconds as "12.3s", "5m07s", "3h02m", "41d03h" */
void format_duration(char text[DURATION_TEXT], uint64_t ms);

/**
 * word_distance() - how different two words are
 *
 * Return: characters to insert, delete, replace or swap; at most 64.
 */
unsigned int word_distance(const char *a, const char *b);

#endif /* KMQTT_CTL_PARSE_H */
