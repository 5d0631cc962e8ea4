/* SPDX-License-Identifier: GPL-2.0 */
/* family: notice that the module is unloaded while its events are awaited */
#ifndef KMQTT_CTL_FAMILY_H
#define KMQTT_CTL_FAMILY_H

#include <stdbool.h>

struct nl_sock;

/**
 * family_watch() - start watching
 *
 * Return: a socket to be read by family_gone() whenever it is readable, freed
 * by nl_socket_free(); NULL if the kernel's notices cannot be had.
 */
struct nl_sock *family_watch(void);

/** family_gone() - read what has arrived: is the netlink family gone? */
bool family_gone(struct nl_sock *sk);

#endif /* KMQTT_CTL_FAMILY_H */
