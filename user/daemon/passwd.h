/* SPDX-License-Identifier: GPL-2.0 */
/*
 * passwd: users and their passwords, in the files of mosquitto_passwd
 *
 * A line is NAME:HASH. Two kinds of hash are known:
 *	$6$SALT$HASH		SHA-512 of the password followed by the salt
 *	$7$ROUNDS$SALT$HASH	PBKDF2 with HMAC-SHA-512
 * with salt and hash in base64.
 */
#ifndef KMQTTD_PASSWD_H
#define KMQTTD_PASSWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"

/*
 * Bounds what one attempt to connect costs: half a second on a slow gateway.
 * mosquitto_passwd writes 101 rounds.
 */
#define PASSWD_ROUNDS_MAX	100000
#define PASSWD_SALT_MAX		64

struct passwd_db;

/**
 * passwd_read() - read a password file
 * @path: the file
 * @diag: gets every mistake
 * @from_file: with @from_line: where the configuration names it, or NULL
 * @from_line: see @from_file
 *
 * Return: the users with one reference, or NULL after a report.
 */
struct passwd_db *passwd_read(const char *path, struct diag *diag,
			      const char *from_file, int from_line);

/** passwd_get() - one more reference; any thread; NULL is fine */
struct passwd_db *passwd_get(struct passwd_db *db);

/** passwd_put() - give a reference back; any thread; NULL is fine */
void passwd_put(struct passwd_db *db);

/** passwd_count() - how many users there are */
size_t passwd_count(const struct passwd_db *db);

/**
 * passwd_prepare() - have libcrypto set up what checks need
 *
 * It does so when it is first used, and version 3.0 crashes if there is no
 * memory for it: better before anybody is served.
 *
 * Return: 0 or -ENOMEM.
 */
int passwd_prepare(void);

/**
 * passwd_check() - is this the user's password?
 * @db: users
 * @name: user name, NUL-terminated
 * @password: bytes of the password
 * @length: how many
 *
 * Takes as long for a name that does not exist as for one that does, and the
 * comparison does not tell how far it came. Any thread.
 *
 * Return: 1 if the user exists and the password is right, 0 if not, -ENOMEM if
 * there was no memory to find out.
 */
int passwd_check(const struct passwd_db *db, const char *name,
		 const void *password, size_t length);

#endif /* KMQTTD_PASSWD_H */
