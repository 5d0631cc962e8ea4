// SPDX-License-Identifier: GPL-2.0
/* Buckets of equal width within each power of two: 1.6 % at any size. */
#include "latency.h"

#include <stdio.h>
#include <string.h>

#define SUB_BITS	6
#define SUB		(1U << SUB_BITS)
#define BUCKETS		((64 - SUB_BITS + 1) * SUB)

static uint64_t buckets[BUCKETS];
static uint64_t total, longest;
static uint64_t begin_stamp, begin_ns;
static double ns_per_unit = 1;

void latency_begin(void)
{
	memset(buckets, 0, sizeof(buckets));
	total = 0;
	longest = 0;
	begin_ns = latency_clock();
	begin_stamp = latency_stamp();
}

void latency_end(void)
{
	uint64_t units = latency_stamp() - begin_stamp;

	if (units)
		ns_per_unit = (double)(latency_clock() - begin_ns) / units;
}

void latency_add(uint64_t units)
{
	unsigned int shift = 0;

	if (units >= SUB)
		shift = 63 - SUB_BITS - __builtin_clzll(units);
	buckets[shift * SUB + (units >> shift)]++;
	total++;
	if (units > longest)
		longest = units;
}

/* The middle of a bucket. */
static double bucket_ns(unsigned int i)
{
	unsigned int shift = i < 2 * SUB ? 0 : i / SUB - 1;
	uint64_t low = (uint64_t)(i - shift * SUB) << shift;

	return (low + (double)((1ULL << shift) - 1) / 2) * ns_per_unit;
}

static double percentile(double part)
{
	uint64_t seen = 0;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++) {
		seen += buckets[i];
		if (seen && seen >= part * total)
			return bucket_ns(i);
	}
	return longest * ns_per_unit;
}

static void print_distribution(void)
{
	const char *comma = "";
	unsigned int i;

	printf(", \"distribution\": [");
	for (i = 0; i < BUCKETS; i++) {
		if (!buckets[i])
			continue;
		printf("%s[%.0f, %llu]", comma, bucket_ns(i),
		       (unsigned long long)buckets[i]);
		comma = ", ";
	}
	printf("]");
}

void latency_print(bool distribution)
{
	if (!total)
		return;
	printf("\"latency_ns\": {\"p50\": %.0f, \"p99\": %.0f, \"p99.9\": %.0f, \"longest\": %.0f",
	       percentile(0.5), percentile(0.99), percentile(0.999),
	       longest * ns_per_unit);
	if (distribution)
		print_distribution();
	printf("}, ");
}
