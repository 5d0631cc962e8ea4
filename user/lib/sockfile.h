/* SPDX-License-Identifier: GPL-2.0 */
/* sockfile: files of Unix sockets that are left when nobody serves them */
#ifndef KMQTT_USER_SOCKFILE_H
#define KMQTT_USER_SOCKFILE_H

#include <stdbool.h>

/**
 * sockfile_remove() - remove the file of a Unix socket, if nobody answers there
 * @path: the file, absolute
 *
 * A server between bind() and listen() does not answer either, and its file is
 * removed: nothing tells it from one that was killed.
 *
 * Return: 0: it is gone (or was not there); -ENOTSOCK: it is another kind of
 * file; -EADDRINUSE: somebody serves it; or another negative errno.
 */
int sockfile_remove(const char *path);

/**
 * sockfile_served() - does somebody listen on the Unix socket at a path
 * @path: of its file, absolute
 *
 * Return: false: nobody can connect there, also since there is no such file;
 * true: somebody listens, it is no socket, or it cannot be told.
 */
bool sockfile_served(const char *path);

#endif /* KMQTT_USER_SOCKFILE_H */
