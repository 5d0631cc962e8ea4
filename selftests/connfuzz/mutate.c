// SPDX-License-Identifier: GPL-2.0
/* Mutations that keep operations whole, beside libFuzzer's own. */
#include <string.h>
#include <stdlib.h>
#include <linux/kernel.h>
#include "ops.h"

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size,
			       unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const u8 *data1, size_t size1,
				 const u8 *data2, size_t size2,
				 u8 *out, size_t max_size, unsigned int seed);

static unsigned int state;

static unsigned int below(unsigned int limit)
{
	state = state * 1103515245 + 12345;
	return limit ? (state >> 16) % limit : 0;
}

static void make_op(u8 *op)
{
	u32 i;

	op[0] = below(NR_OPS) | below(NR_CLIENTS - 1) << 5;
	for (i = 1; i < OP_SIZE; i++)
		op[i] = below(3) ? below(256) : below(8);
}

/* Something goes wrong, soon. */
static void make_trouble(u8 *op)
{
	static const u8 troubles[] = { OP_FAIL, OP_FAIL, OP_PREEMPT, OP_RESET,
				       OP_WINDOW, OP_SPLIT, OP_TIME, OP_HOLD };

	op[0] = troubles[below(ARRAY_SIZE(troubles))] |
		below(NR_CLIENTS - 1) << 5;
	op[1] = below(2) ? below(8) : below(64);
	op[2] = 0;
	op[3] = 0;
}

/* Operations @from to @from + @nr once more, at @to. */
static size_t copy_ops(u8 *data, size_t ops, size_t max, u32 from, u32 nr,
		       u32 to)
{
	u8 part[16 * OP_SIZE];

	if (ops + nr > max)
		return ops;
	memcpy(part, data + from * OP_SIZE, nr * OP_SIZE);
	memmove(data + (to + nr) * OP_SIZE, data + to * OP_SIZE,
		(ops - to) * OP_SIZE);
	memcpy(data + to * OP_SIZE, part, nr * OP_SIZE);
	return ops + nr;
}

/* The head counts as an operation that stays in its place. */
static size_t mutate_once(u8 *data, size_t ops, size_t max)
{
	u32 at = 1 + below(ops), nr;

	switch (below(8)) {
	case 0 ... 1:	/* a new one */
		if (ops == max)
			return ops;
		memmove(data + (at + 1) * OP_SIZE, data + at * OP_SIZE,
			(ops - at) * OP_SIZE);
		if (below(3))
			make_op(data + at * OP_SIZE);
		else
			make_trouble(data + at * OP_SIZE);
		return ops + 1;
	case 2:		/* some less */
		if (at >= ops)
			return ops;
		nr = 1 + below(min_t(u32, ops - at, 4));
		memmove(data + at * OP_SIZE, data + (at + nr) * OP_SIZE,
			(ops - at - nr) * OP_SIZE);
		return ops - nr;
	case 3:		/* some again */
		if (at >= ops)
			return ops;
		nr = 1 + below(min_t(u32, ops - at, 16));
		return copy_ops(data, ops, max, at, nr, 1 + below(ops));
	case 4:		/* another connection */
		if (at < ops)
			data[at * OP_SIZE] ^= 0x20 << below(2);
		return ops;
	default:	/* an argument */
		if (at < ops)
			data[at * OP_SIZE + 1 + below(3)] =
				below(2) ? below(256) : below(8);
		return ops;
	}
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size,
			       unsigned int seed)
{
	size_t ops = size / OP_SIZE, max = max_size / OP_SIZE;
	u32 times;

	state = seed;
	if (max < 2)
		return size;
	if (!ops) {
		memset(data, 0, OP_SIZE);
		ops = 1;
	}
	if (!below(8))
		return LLVMFuzzerMutate(data, size, max_size);
	/* The load fails now and then only. */
	if (!below(100))
		data[1] = below(64);
	else if (!below(4))
		data[1] = 0;
	if (!below(16)) {
		data[0] = below(4);
		data[2] = below(256);
		data[3] = data[0] & HEAD_PREEMPT ? below(64) : below(2);
	}
	for (times = 1 + below(4); times; times--)
		ops = mutate_once(data, ops, max);
	return ops * OP_SIZE;
}

/* The beginning of one, what others do in the midst of it, and its end. */
size_t LLVMFuzzerCustomCrossOver(const u8 *data1, size_t size1,
				 const u8 *data2, size_t size2,
				 u8 *out, size_t max_size, unsigned int seed)
{
	u32 ops1 = size1 / OP_SIZE, ops2 = size2 / OP_SIZE, from = 0, nr = 0;
	u32 cut, rest;

	state = seed;
	if (ops2 > 1) {
		from = 1 + below(ops2 - 1);
		nr = 1 + below(ops2 - from);
	}
	cut = below(ops1 + 1);
	cut = min_t(u32, cut, max_size / OP_SIZE);
	nr = min_t(u32, nr, max_size / OP_SIZE - cut);
	rest = min_t(u32, ops1 - cut, max_size / OP_SIZE - cut - nr);
	memcpy(out, data1, cut * OP_SIZE);
	memcpy(out + cut * OP_SIZE, data2 + from * OP_SIZE, nr * OP_SIZE);
	memcpy(out + (cut + nr) * OP_SIZE, data1 + cut * OP_SIZE,
	       rest * OP_SIZE);
	return (cut + nr + rest) * OP_SIZE;
}
