/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unit tests of kmod/core. A file of tests is a suite:
 *
 *	static void empty_is_refused(void) { CHECK(!thing(0)); }
 *
 *	static const struct unit_test tests[] = {
 *		UNIT_TEST(empty_is_refused),
 *	};
 *	UNIT_SUITE(thing, tests);
 *
 * Each test runs in a process of its own, so a crash, a sanitizer's report or
 * a leak fails that test alone.
 */
#ifndef UNIT_H
#define UNIT_H

#include <stddef.h>
#include <linux/kernel.h>
#include <linux/types.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

struct unit_suite {
	const char *name;
	const struct unit_test *tests;
	size_t nr;
	struct unit_suite *next;
};

void unit_register(struct unit_suite *suite);

/* Count a failure and say it; the test goes on. */
void unit_fail(const char *file, int line, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));

/* The same sequence in every run. */
u32 unit_random(u32 below);

#define UNIT_TEST(function) { #function, function }

#define UNIT_SUITE(suite, table)					\
	static void __attribute__((__constructor__)) unit_add_##suite(void) \
	{								\
		static struct unit_suite unit_##suite = {		\
			#suite, table, ARRAY_SIZE(table), NULL		\
		};							\
									\
		unit_register(&unit_##suite);				\
	}

#define CHECK(condition) do {						\
	if (!(condition))						\
		unit_fail(__FILE__, __LINE__, "%s", #condition);	\
} while (0)

/* @what: which line of a table, or the like */
#define CHECK_EQ(is, wanted, what) do {					\
	long long check_is = (is), check_wanted = (wanted);		\
									\
	if (check_is != check_wanted)					\
		unit_fail(__FILE__, __LINE__,				\
			  "%s: %s is %lld (0x%llx), not %lld (0x%llx)",	\
			  what, #is, check_is, check_is, check_wanted,	\
			  check_wanted);				\
} while (0)

#endif
