/* SPDX-License-Identifier: GPL-2.0 */
/*
 * endpoint: listeners as the module knows them, an address and a port each, or
 * a path
 */
#ifndef KMQTTD_ENDPOINT_H
#define KMQTTD_ENDPOINT_H

#include <sys/un.h>

#include "config.h"

/**
 * struct endpoint - one listener of the module
 * @address: in network byte order
 * @length: 4 or 16; 0: a Unix socket
 * @port: TCP port; 0: a Unix socket
 * @path: of a Unix socket, else ""
 * @auth_mode: enum kmqtt_auth_mode
 * @max_connections: 0: the broker's limit only
 * @optional: may be left out if the machine lacks this address family
 * @anonymous: clients without a name are welcome
 * @from: listener of the configuration this comes from, borrowed; NULL for
 *	what the module has
 * @id: the module's; 0 as long as there is none
 */
struct endpoint {
	uint8_t address[16];
	uint8_t length;
	uint16_t port;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	uint8_t auth_mode;
	uint32_t max_connections;
	bool optional;
	bool anonymous;
	const struct config_listener *from;
	uint32_t id;
};

/** struct endpoints - owned array of them */
struct endpoints {
	struct endpoint *list;
	size_t count;
};

/**
 * endpoints_resolve() - addresses of all listeners of a configuration
 * @e: to fill; end it with endpoints_free()
 * @c: configuration, which must outlive @e
 * @diag: gets names that do not resolve and addresses given twice
 *
 * May ask the name service, if there are names.
 *
 * Return: 0, or -1 after a report, with nothing to free.
 */
int endpoints_resolve(struct endpoints *e, const struct config *c,
		      struct diag *diag);

/** endpoints_add() - a copy of @one at the end; NULL without memory */
struct endpoint *endpoints_add(struct endpoints *e,
			       const struct endpoint *one);

/** endpoints_free() - release the array */
void endpoints_free(struct endpoints *e);

/** endpoints_find() - the one where @one is (address and port, or path), or NULL */
struct endpoint *endpoints_find(const struct endpoints *e,
				const struct endpoint *one);

/** endpoint_conflicts() - can one address and port not be bound beside the other? */
bool endpoint_conflicts(const struct endpoint *a, const struct endpoint *b);

/**
 * endpoint_name() - "192.0.2.1 port 1883" or a path, for messages
 *
 * Return: a buffer that is used again after four further calls.
 */
const char *endpoint_name(const struct endpoint *e);

#endif /* KMQTTD_ENDPOINT_H */
