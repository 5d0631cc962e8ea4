// SPDX-License-Identifier: GPL-2.0
/*
 * malloc() and the like for the whole program, its libraries and the C library
 * included. What does not fail comes from the address sanitizer, so that its
 * checks and the leak sanitizer's stay.
 */
#include "alloc.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

struct alloc *alloc_now;

void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t nr, size_t size);
void *__interceptor_realloc(void *p, size_t size);

static __thread int exempt;

bool alloc_fails(void)
{
	struct alloc *a = alloc_now;
	long nr;

	if (!a || exempt)
		return false;
	nr = atomic_fetch_add(&a->seen, 1) + 1;
	if (nr < a->first || nr > a->last)
		return false;
	atomic_fetch_add(&a->failed, 1);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return alloc_fails() ? NULL : __interceptor_malloc(size);
}

void *calloc(size_t nr, size_t size)
{
	return alloc_fails() ? NULL : __interceptor_calloc(nr, size);
}

void *realloc(void *p, size_t size)
{
	return alloc_fails() ? NULL : __interceptor_realloc(p, size);
}

void *reallocarray(void *p, size_t nr, size_t size)
{
	if (nr && size > (size_t)-1 / nr) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, nr * size);
}

/* the sanitizer's own would not come here */
char *strdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = malloc(size);

	return copy ? memcpy(copy, s, size) : NULL;
}

char *strndup(const char *s, size_t most)
{
	size_t len = strnlen(s, most);
	char *copy = malloc(len + 1);

	if (copy) {
		memcpy(copy, s, len);
		copy[len] = 0;
	}
	return copy;
}

/* The sanitizer asks this of every thread, and gives up if it fails. */
int pthread_getattr_np(pthread_t thread, pthread_attr_t *attr)
{
	int (*next)(pthread_t thread, pthread_attr_t *attr);
	int ret;

	exempt++;
	next = dlsym(RTLD_NEXT, "pthread_getattr_np");
	ret = next(thread, attr);
	exempt--;
	return ret;
}
