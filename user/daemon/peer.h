/* SPDX-License-Identifier: GPL-2.0 */
/*
 * peer: the client that a message of the module is about, for the log
 */
#ifndef KMQTTD_PEER_H
#define KMQTTD_PEER_H

#include <stddef.h>

#include <netlink/attr.h>

/**
 * peer_text() - "client NAME (user NAME) from ADDRESS port PORT"
 * @attrs: attributes of the message; what is missing is left out
 * @buf: result, with control bytes replaced and long names cut
 * @size: bytes of @buf
 *
 * Return: @buf.
 */
const char *peer_text(struct nlattr **attrs, char *buf, size_t size);

#define PEER_TEXT_SIZE	480

#endif /* KMQTTD_PEER_H */
