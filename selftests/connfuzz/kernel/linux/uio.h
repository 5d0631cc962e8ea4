/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_UIO_H
#define CONNFUZZ_LINUX_UIO_H

#include <linux/types.h>

#define ITER_SOURCE	1
#define ITER_DEST	0

struct kvec {
	void *iov_base;
	size_t iov_len;
};

struct iov_iter {
	const struct kvec *vec;
	unsigned int nr;
};

static inline void iov_iter_kvec(struct iov_iter *iter, int direction,
				 const struct kvec *vec, unsigned int nr,
				 size_t count)
{
	(void)direction;
	(void)count;
	iter->vec = vec;
	iter->nr = nr;
}

#endif
