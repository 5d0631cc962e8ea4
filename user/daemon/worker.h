/* SPDX-License-Identifier: GPL-2.0 */
/*
 * worker: checks passwords in a thread, since a check takes its time
 *
 * One check at a time, in the order they came. What waits is bounded by the
 * module's auth_pending_max and by WORKER_JOBS_MAX.
 */
#ifndef KMQTTD_WORKER_H
#define KMQTTD_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passwd.h"

#define WORKER_JOBS_MAX	4096

/**
 * struct worker_job - one password to check
 * @next: used by the worker
 * @request: the module's number of the request
 * @db: users, one reference
 * @name: user name, in @data
 * @password: in @data
 * @password_len: bytes of it
 * @client: client identifier and address for the log, in @data
 * @result: of passwd_check()
 * @size: bytes of @data
 * @data: strings
 */
struct worker_job {
	struct worker_job *next;
	uint64_t request;
	struct passwd_db *db;
	const char *name;
	const char *password;
	size_t password_len;
	const char *client;
	int result;
	size_t size;
	char data[];
};

/**
 * worker_start() - start the thread
 *
 * Return: a descriptor that is readable when there are results, or negative
 * errno.
 */
int worker_start(void);

/** worker_stop() - end the thread; what waits is dropped */
void worker_stop(void);

/** worker_put() - hand a job over; false, with the job still the caller's, if too many wait */
bool worker_put(struct worker_job *job);

/** worker_get() - a job that is done, or NULL; end it with worker_job_free() */
struct worker_job *worker_get(void);

/**
 * worker_job_new() - a job with the strings copied
 * @db: users, a reference is taken
 * @name: user name
 * @password: bytes; wiped when the job is freed
 * @password_len: how many
 * @client: for the log
 *
 * Return: the job, or NULL without memory.
 */
struct worker_job *worker_job_new(struct passwd_db *db, const char *name,
				  const void *password, size_t password_len,
				  const char *client);

/** worker_job_free() - wipe and release a job */
void worker_job_free(struct worker_job *job);

#endif /* KMQTTD_WORKER_H */
