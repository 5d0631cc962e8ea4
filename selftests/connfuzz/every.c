// SPDX-License-Identifier: GPL-2.0
/*
 * Inputs, and what they would come to if something went wrong in their midst:
 * each allocation fails once, a task gives way at some of its points.
 *
 * usage: every POINTS CURRENT FILE...	(POINTS for each file, or all it has;
 *					CURRENT is left with the input that
 *					has failed)
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "ops.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Allocations of an input that is more than a conversation. */
#define MANY	500

static u8 data[1 << 20];
static size_t size;
static int current;
static unsigned long runs;

static void get(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
}

/* In place: a file that is emptied and written anew may wait for the disk. */
static void keep_current(void)
{
	if (ftruncate(current, size) ||
	    pwrite(current, data, size, 0) != (ssize_t)size) {
		perror("CURRENT");
		exit(1);
	}
}

static void run(u8 flags, u32 number)
{
	data[0] = flags;
	data[2] = number;
	data[3] = number >> 8;
	keep_current();
	LLVMFuzzerTestOneInput(data, size);
	runs++;
}

static void run_all(u32 points)
{
	unsigned long nr_fail, nr, i;

	run(0, 0);
	nr_fail = last_allocations;
	nr = last_points < 65535 ? last_points : 65535;
	if (nr_fail <= MANY)
		for (i = 1; i <= nr_fail && points; i++)
			run(0, i);
	/* A long one takes its time each time. */
	if (nr_fail > MANY)
		points /= 10;
	if (points > nr)
		points = nr;
	for (i = 0; i < points; i++)
		run(HEAD_PREEMPT | HEAD_INITIAL, 1 + i * nr / points);
}

int main(int argc, char **argv)
{
	u32 points;
	int i;

	if (argc < 3) {
		fprintf(stderr, "usage: %s POINTS CURRENT FILE...\n", argv[0]);
		return 2;
	}
	points = atoi(argv[1]);
	current = open(argv[2], O_RDWR | O_CREAT, 0666);
	if (current < 0) {
		perror(argv[2]);
		return 1;
	}
	for (i = 3; i < argc; i++) {
		get(argv[i]);
		if (size >= OP_SIZE)
			run_all(points);
	}
	remove(argv[2]);
	printf("%lu inputs\n", runs);
	return 0;
}
