// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's password file, and a check of each name in it. That takes its
 * time by design: the hash function is one that does not.
 *
 * Input: a file.
 */
#include "passwd.h"

#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, *line, *next, *end, *colon;
	struct passwd_db *db;
	size_t names = 0;

	fuzz_file("passwd", data, size);
	fuzz_diag.errors = 0;
	db = passwd_read("passwd", &fuzz_diag, "conf", 1);
	FUZZ_CHECK(!db == !!fuzz_diag.errors);
	if (!db)
		return 0;
	fuzz_taken();
	/* by length: a comment may hold any byte */
	text = malloc(size + 1);
	if (!text)
		abort();
	memcpy(text, data, size);
	end = text + size;
	for (line = text; line < end; line = next + 1) {
		next = memchr(line, '\n', end - line);
		if (!next)
			next = end;
		colon = memchr(line, ':', next - line);
		if (!colon)
			continue;
		*colon = 0;
		names++;
		passwd_check(db, line, "secret", 6);
	}
	FUZZ_CHECK(names >= passwd_count(db));
	FUZZ_CHECK(!passwd_check(db, "no:name", NULL, 0));
	free(text);
	passwd_put(passwd_get(db));
	passwd_put(db);
	return 0;
}
