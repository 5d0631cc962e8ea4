// SPDX-License-Identifier: GPL-2.0
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
	struct worker_job *first;
	struct worker_job **last;
};

/* @lock guards everything here but the thread and the descriptor */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct queue waiting, done;
static unsigned int count;	/* of jobs in either queue or in work */
static bool stopping;
static bool running;
static pthread_t thread;
static int done_fd = -1;

static void queue_init(struct queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static void queue_put(struct queue *q, struct worker_job *job)
{
	job->next = NULL;
	*q->last = job;
	q->last = &job->next;
}

static struct worker_job *queue_get(struct queue *q)
{
	struct worker_job *job = q->first;

	if (!job)
		return NULL;
	q->first = job->next;
	if (!q->first)
		q->last = &q->first;
	return job;
}

static void *work(void *arg)
{
	const uint64_t one = 1;
	struct worker_job *job;

	pthread_mutex_lock(&lock);
	while (!stopping) {
		job = queue_get(&waiting);
		if (!job) {
			pthread_cond_wait(&more, &lock);
			continue;
		}
		pthread_mutex_unlock(&lock);
		job->result = passwd_check(job->db, job->name, job->password,
					   job->password_len);
		pthread_mutex_lock(&lock);
		queue_put(&done, job);
		/* fails only if the counter is full: it is readable then */
		if (write(done_fd, &one, sizeof(one)) < 0)
			continue;
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

int worker_start(void)
{
	int ret;

	queue_init(&waiting);
	queue_init(&done);
	stopping = false;
	done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (done_fd < 0)
		return -errno;
	ret = pthread_create(&thread, NULL, work, NULL);
	if (ret) {
		close(done_fd);
		done_fd = -1;
		return -ret;
	}
	running = true;
	return done_fd;
}

void worker_stop(void)
{
	struct worker_job *job;

	if (!running)
		return;
	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_signal(&more);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	running = false;
	while ((job = queue_get(&waiting)) || (job = queue_get(&done)))
		worker_job_free(job);
	count = 0;
	close(done_fd);
	done_fd = -1;
}

bool worker_put(struct worker_job *job)
{
	bool room;

	pthread_mutex_lock(&lock);
	room = running && count < WORKER_JOBS_MAX;
	if (room) {
		count++;
		queue_put(&waiting, job);
		pthread_cond_signal(&more);
	}
	pthread_mutex_unlock(&lock);
	return room;
}

struct worker_job *worker_get(void)
{
	struct worker_job *job;
	uint64_t n;

	pthread_mutex_lock(&lock);
	job = queue_get(&done);
	if (job)
		count--;
	else if (read(done_fd, &n, sizeof(n)) < 0)
		n = 0;	/* nothing was signalled */
	pthread_mutex_unlock(&lock);
	return job;
}

struct worker_job *worker_job_new(struct passwd_db *db, const char *name,
				  const void *password, size_t password_len,
				  const char *client)
{
	size_t name_size = strlen(name) + 1, client_size = strlen(client) + 1;
	size_t size = name_size + client_size + password_len;
	struct worker_job *job = malloc(sizeof(*job) + size);
	char *at;

	if (!job)
		return NULL;
	memset(job, 0, sizeof(*job));
	job->size = size;
	job->db = passwd_get(db);
	at = job->data;
	job->name = memcpy(at, name, name_size);
	at += name_size;
	job->client = memcpy(at, client, client_size);
	at += client_size;
	if (password_len)
		memcpy(at, password, password_len);
	job->password = at;
	job->password_len = password_len;
	return job;
}

void worker_job_free(struct worker_job *job)
{
	passwd_put(job->db);
	explicit_bzero(job->data, job->size);
	free(job);
}
