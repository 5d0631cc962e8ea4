// SPDX-License-Identifier: GPL-2.0
#include "passwd.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "text.h"

#define HASH_LEN	64	/* SHA-512 */

struct passwd_user {
	char *name;
	int line;
	unsigned int rounds;	/* 0: one plain SHA-512 */
	uint8_t salt[PASSWD_SALT_MAX];
	uint8_t salt_len;
	uint8_t hash[HASH_LEN];
};

struct passwd_db {
	atomic_uint references;
	uint64_t secret;	/* see stand_in() */
	struct passwd_user *users;	/* sorted by name */
	size_t count;
	size_t room;
};

/* base64 as EVP_EncodeBlock() writes it; -1 if it is not, or too long */
static int base64_decode(const char *s, size_t len, uint8_t *out, size_t room)
{
	uint8_t buf[PASSWD_SALT_MAX + HASH_LEN + 8];
	int pad, n;

	if (!len || len % 4 || len / 4 * 3 > sizeof(buf))
		return -1;
	pad = s[len - 1] == '=' ? s[len - 2] == '=' ? 2 : 1 : 0;
	n = EVP_DecodeBlock(buf, (const unsigned char *)s, len);
	if (n < pad || (size_t)(n - pad) > room)
		return -1;
	memcpy(out, buf, n - pad);
	return n - pad;
}

/* what is wrong with a hash, or NULL */
static const char *hash_parse(struct passwd_user *u, const char *s)
{
	const char *dollar;
	char *end;
	int n;

	if (!strncmp(s, "$6$", 3)) {
		s += 3;
	} else if (!strncmp(s, "$7$", 3)) {
		unsigned long rounds;

		s += 3;
		errno = 0;
		rounds = strtoul(s, &end, 10);
		if (*s < '0' || *s > '9' || *end != '$' || errno || !rounds)
			return "the number of rounds after $7$ makes no sense";
		if (rounds > PASSWD_ROUNDS_MAX)
			return "more than 100000 rounds take too long to check";
		u->rounds = rounds;
		s = end + 1;
	} else {
		return "the password is not hashed as $6$ or $7$";
	}
	dollar = strchr(s, '$');
	if (!dollar)
		return "the hash is cut short";
	n = base64_decode(s, dollar - s, u->salt, sizeof(u->salt));
	if (n <= 0)
		return "the salt is not base64";
	u->salt_len = n;
	s = dollar + 1;
	if (base64_decode(s, strlen(s), u->hash, HASH_LEN) != HASH_LEN)
		return "the hash is not 64 bytes of base64";
	return NULL;
}

static int user_add(struct passwd_db *db, const struct passwd_user *u)
{
	if (db->count == db->room) {
		size_t room = db->room ? 2 * db->room : 16;
		struct passwd_user *users;

		users = realloc(db->users, room * sizeof(*users));
		if (!users)
			return -1;
		db->users = users;
		db->room = room;
	}
	db->users[db->count] = *u;
	db->users[db->count].name = strdup(u->name);
	if (!db->users[db->count].name)
		return -1;
	db->count++;
	return 0;
}

static int line_parse(struct passwd_db *db, struct text *t, char *line)
{
	struct passwd_user u = { .name = line, .line = t->line };
	char *colon = strchr(line, ':');
	const char *why;

	if (!colon || !colon[1])
		return diag_error(t->diag, t->path, t->line,
				  "the line is not NAME:HASH: set a password with mosquitto_passwd");
	*colon = 0;
	if (colon == line)
		return diag_error(t->diag, t->path, t->line,
				  "there is no name before the colon");
	why = hash_parse(&u, colon + 1);
	if (why)
		return diag_error(t->diag, t->path, t->line,
				  "user %s: %s: set the password again with mosquitto_passwd",
				  diag_quote(u.name), why);
	if (user_add(db, &u) < 0)
		return diag_error(t->diag, NULL, 0, "out of memory");
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct passwd_user *ua = a, *ub = b;

	return strcmp(ua->name, ub->name);
}

static int sort(struct passwd_db *db, struct text *t)
{
	int ret = 0;

	if (db->count)
		qsort(db->users, db->count, sizeof(*db->users), by_name);
	for (size_t i = 1; i < db->count; i++) {
		struct passwd_user *a = &db->users[i - 1], *b = &db->users[i];

		if (strcmp(a->name, b->name))
			continue;
		ret = diag_error(t->diag, t->path,
				 a->line > b->line ? a->line : b->line,
				 "user %s is in line %d already: remove one of them",
				 diag_quote(a->name),
				 a->line > b->line ? b->line : a->line);
	}
	return ret;
}

struct passwd_db *passwd_read(const char *path, struct diag *diag,
			      const char *from_file, int from_line)
{
	unsigned int before = diag->errors;
	struct passwd_db *db;
	struct text t;
	char *line;

	if (text_open(&t, path, diag, from_file, from_line) < 0)
		return NULL;
	db = calloc(1, sizeof(*db));
	if (db) {
		atomic_init(&db->references, 1);
		if (getrandom(&db->secret, sizeof(db->secret), 0) < 0)
			db->secret = (uintptr_t)db;
		while ((line = text_line(&t)))
			line_parse(db, &t, line);
		sort(db, &t);
	} else {
		diag_error(diag, NULL, 0, "out of memory");
	}
	text_close(&t);
	if (diag->errors == before)
		return db;
	passwd_put(db);
	return NULL;
}

struct passwd_db *passwd_get(struct passwd_db *db)
{
	if (db)
		atomic_fetch_add(&db->references, 1);
	return db;
}

void passwd_put(struct passwd_db *db)
{
	if (!db || atomic_fetch_sub(&db->references, 1) != 1)
		return;
	for (size_t i = 0; i < db->count; i++)
		free(db->users[i].name);
	if (db->users)
		explicit_bzero(db->users, db->count * sizeof(*db->users));
	free(db->users);
	free(db);
}

size_t passwd_count(const struct passwd_db *db)
{
	return db->count;
}

/*
 * Whose parameters to compute with for a name that does not exist. Always
 * the same for a name, and spread as those of the names that exist, so that
 * neither one attempt nor many tell the two apart by the time they take.
 */
static const struct passwd_user *stand_in(const struct passwd_db *db,
					  const char *name)
{
	static const struct passwd_user none = { .rounds = 101, .salt_len = 12 };
	uint64_t h = db->secret;

	if (!db->count)
		return &none;
	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3ull;
	return &db->users[(h >> 20) % db->count];
}

static bool hash_compute(const struct passwd_user *u, const void *password,
			 size_t length, uint8_t *out)
{
	EVP_MD_CTX *ctx;
	bool ok;

	if (u->rounds)
		return PKCS5_PBKDF2_HMAC(password, length, u->salt,
					 u->salt_len, u->rounds, EVP_sha512(),
					 HASH_LEN, out) == 1;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha512(), NULL) &&
		EVP_DigestUpdate(ctx, password, length) &&
		EVP_DigestUpdate(ctx, u->salt, u->salt_len) &&
		EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
	return ok;
}

int passwd_prepare(void)
{
	struct passwd_user u = { .rounds = 1, .salt_len = 12 };
	uint8_t hash[HASH_LEN];

	if (!hash_compute(&u, "", 0, hash))
		return -ENOMEM;
	u.rounds = 0;
	return hash_compute(&u, "", 0, hash) ? 0 : -ENOMEM;
}

int passwd_check(const struct passwd_db *db, const char *name,
		 const void *password, size_t length)
{
	struct passwd_user key = { .name = (char *)name };
	const struct passwd_user *u = NULL;
	uint8_t hash[HASH_LEN];
	bool known, same;

	if (db->count)
		u = bsearch(&key, db->users, db->count, sizeof(key), by_name);
	known = u;
	if (!u)
		u = stand_in(db, name);
	if (!hash_compute(u, password, length, hash))
		return -ENOMEM;
	same = !CRYPTO_memcmp(hash, u->hash, HASH_LEN);
	explicit_bzero(hash, sizeof(hash));
	return known && same;
}
