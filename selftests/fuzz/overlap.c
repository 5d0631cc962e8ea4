// SPDX-License-Identifier: GPL-2.0
/*
 * Two filters: if they overlap there is a name that both match, and if not
 * there is none. Of the names of so many levels it is enough to try one: each
 * level is what one of the filters says, or anything if neither does.
 *
 * Input: the filters, a zero byte between them.
 */
#include <string.h>
#include "bytes.h"
#include "fuzz.h"
#include "topic.h"
#include "twin.h"

#define LEVELS	12
#define TEXT	100

struct filter {
	char text[TEXT];
	char level[LEVELS][TEXT];
	unsigned int nr;
};

/* Return: is it a filter, and a short one? */
static bool split(struct filter *f, const uint8_t *data, size_t len)
{
	struct mqtt_str whole = { data, len };
	char copy[TEXT], *rest = copy, *level;

	if (len >= TEXT || !mqtt_topic_filter_valid(&whole) ||
	    mqtt_topic_depth(&whole) > LEVELS)
		return false;
	memcpy(f->text, data, len);
	f->text[len] = '\0';
	strcpy(copy, f->text);
	for (f->nr = 0; (level = strsep(&rest, "/")); f->nr++)
		strcpy(f->level[f->nr], level);
	return true;
}

/* what @f says about a level, NULL if it may be any */
static const char *says(const struct filter *f, unsigned int i)
{
	if (i >= f->nr || !strcmp(f->level[i], "+") || !strcmp(f->level[i], "#"))
		return NULL;
	return f->level[i];
}

static bool name_exists(const struct filter *a, const struct filter *b)
{
	char name[2 * LEVELS * TEXT];
	unsigned int nr, i;
	const char *level;

	for (nr = 1; nr <= LEVELS; nr++) {
		*name = '\0';
		for (i = 0; i < nr; i++) {
			level = says(a, i) ? says(a, i) : says(b, i);
			strcat(name, i ? "/" : "");
			strcat(name, level ? level : "x");
		}
		if (*name && twin_matches(a->text, name) &&
		    twin_matches(b->text, name))
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = memchr(data, 0, size);
	static struct filter a, b;
	struct mqtt_str sa, sb;
	bool overlaps;

	if (!zero || memchr(zero + 1, 0, data + size - zero - 1) ||
	    !split(&a, data, zero - data) ||
	    !split(&b, zero + 1, data + size - zero - 1))
		return 0;
	fuzz_taken();
	sa = bytes_copy((u8 *)a.text, strlen(a.text));
	sb = bytes_copy((u8 *)b.text, strlen(b.text));
	overlaps = mqtt_topic_overlaps(&sa, &sb);
	FUZZ_CHECK(overlaps == mqtt_topic_overlaps(&sb, &sa));
	FUZZ_CHECK(overlaps == name_exists(&a, &b));
	/* what covers the other one has all of its names */
	if (mqtt_topic_covers(&sa, &sb) && name_exists(&b, &b))
		FUZZ_CHECK(overlaps);
	bytes_free(&sa);
	bytes_free(&sb);
	return 0;
}
