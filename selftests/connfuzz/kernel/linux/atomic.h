/* SPDX-License-Identifier: GPL-2.0 */
/* Nobody else runs within one of these; before and after, anybody may. */
#ifndef CONNFUZZ_LINUX_ATOMIC_H
#define CONNFUZZ_LINUX_ATOMIC_H

#include <linux/compiler.h>
#include <linux/types.h>
#include "task.h"

typedef struct {
	int counter;
} atomic_t;

#define smp_mb()		shim_point()
#define smp_mb__before_atomic()	shim_point()
#define smp_mb__after_atomic()	shim_point()
#define smp_rmb()		shim_point()
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define smp_store_release(p, v)	\
do {				\
	shim_point();		\
	WRITE_ONCE(*(p), v);	\
} while (0)

#define xchg(ptr, value)						\
({									\
	__typeof__(*(ptr)) xchg_old;					\
									\
	shim_point();							\
	xchg_old = *(ptr);						\
	*(ptr) = (value);						\
	xchg_old;							\
})

#define cmpxchg(ptr, old, new)						\
({									\
	__typeof__(*(ptr)) cmpxchg_was;					\
									\
	shim_point();							\
	cmpxchg_was = *(ptr);						\
	if (cmpxchg_was == (__typeof__(*(ptr)))(old))			\
		*(ptr) = (new);						\
	cmpxchg_was;							\
})

static inline int atomic_read(const atomic_t *v)
{
	return v->counter;
}

#define atomic_read_acquire atomic_read

static inline int atomic_add_return(int i, atomic_t *v)
{
	int sum;

	shim_point();
	v->counter += i;
	sum = v->counter;
	shim_point();
	return sum;
}

typedef struct {
	s64 counter;
} atomic64_t;

#define atomic64_inc(v)			((void)atomic64_inc_return(v))

static inline s64 atomic64_inc_return(atomic64_t *v)
{
	shim_point();
	v->counter++;
	return v->counter;
}

static inline s64 atomic64_read_acquire(const atomic64_t *v)
{
	return v->counter;
}

#define atomic_set_release(v, i)	((void)atomic_add_return((i) - (v)->counter, v))
#define atomic_inc_return(v)		atomic_add_return(1, v)
#define atomic_sub_return(i, v)		atomic_add_return(-(i), v)
#define atomic_inc(v)			((void)atomic_add_return(1, v))
#define atomic_dec(v)			((void)atomic_add_return(-1, v))
#define atomic_dec_and_test(v)		(!atomic_add_return(-1, v))
#define atomic_cmpxchg(v, old, new)	cmpxchg(&(v)->counter, old, new)

static inline bool test_bit(unsigned int nr, const unsigned long *bits)
{
	unsigned int size = 8 * sizeof(*bits);

	return READ_ONCE(bits[nr / size]) >> nr % size & 1;
}

static inline bool test_and_set_bit(int nr, unsigned long *word)
{
	bool was;

	shim_point();
	was = test_bit(nr, word);
	*word |= 1UL << nr;
	return was;
}

static inline bool test_and_clear_bit(int nr, unsigned long *word)
{
	bool was;

	shim_point();
	was = test_bit(nr, word);
	*word &= ~(1UL << nr);
	return was;
}

#define set_bit(nr, word)		((void)test_and_set_bit(nr, word))
#define clear_bit(nr, word)		((void)test_and_clear_bit(nr, word))
#define test_and_set_bit_lock(nr, word)	test_and_set_bit(nr, word)
#define clear_bit_unlock(nr, word)	((void)test_and_clear_bit(nr, word))

#endif
