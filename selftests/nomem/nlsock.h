/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nlsock: netlink sockets whose other end is in this very program
 *
 * Linked into it, it takes the place of the C library's socket calls, for our
 * own code and for libnl's. The lookup of netlink families is answered here;
 * the messages to the module are for whoever links this. All runs in the
 * thread that sends: an answer is there before the call that asked returns, so
 * a program that waits for one that is not there is aborted.
 */
#ifndef NOMEM_NLSOCK_H
#define NOMEM_NLSOCK_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/netlink.h>

/* what the lookup says */
#define NLSOCK_FAMILY	0x1c
#define NLSOCK_EVENTS	7	/* number of the group "events" */
#define NLSOCK_NOTIFY	16	/* of nlctrl's "notify" */

/**
 * nlsock_request() - a message to the module; for the user of this to define
 * @fd: socket it was sent on
 * @request: the message
 */
void nlsock_request(int fd, const struct nlmsghdr *request);

/** nlsock_closed() - a socket is gone; for the user of this to define */
void nlsock_closed(int fd);

/**
 * nlsock_push() - a datagram for a socket to read
 * @fd: socket
 * @data: messages
 * @size: bytes
 *
 * Return: false if its buffer is full. As with netlink the socket is told so
 * once, by ENOBUFS, and gets nothing more until it has read all there is.
 */
bool nlsock_push(int fd, const void *data, size_t size);

/** nlsock_lose() - tell a socket that there was no memory for a message to it */
void nlsock_lose(int fd);

/** nlsock_room() - let no more than so many datagrams wait to be read */
void nlsock_room(int fd, unsigned int datagrams);

/** nlsock_member() - a socket that joined @group, -1 if there is none */
int nlsock_member(unsigned int group);

/** nlsock_loaded - is there a family "kmqtt"? */
extern bool nlsock_loaded;

#endif
