/* SPDX-License-Identifier: GPL-2.0 */
/* References: none is taken of what is freed, none given back twice. */
#ifndef CONNFUZZ_LINUX_REFCOUNT_H
#define CONNFUZZ_LINUX_REFCOUNT_H

#include <linux/atomic.h>

typedef struct {
	int refs;
} refcount_t;

static inline void refcount_set(refcount_t *r, int n)
{
	r->refs = n;
}

static inline void refcount_inc(refcount_t *r)
{
	shim_point();
	SHIM_CHECK(r->refs > 0);
	r->refs++;
}

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	shim_point();
	SHIM_CHECK(r->refs >= 0);
	if (!r->refs)
		return false;
	r->refs++;
	return true;
}

static inline bool refcount_sub_and_test(int i, refcount_t *r)
{
	shim_point();
	SHIM_CHECK(i > 0 && r->refs >= i);
	r->refs -= i;
	return !r->refs;
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	return refcount_sub_and_test(1, r);
}

#endif
