// SPDX-License-Identifier: GPL-2.0
#include "calls.h"

#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "fuzz.h"
#include "passwd.h"

#define FILES	4

time_t fuzz_seconds;

static struct {
	const char *path;
	int fd;
} files[FILES];

int fuzz_scandir(const char *path, struct dirent ***list,
		 int (*filter)(const struct dirent *),
		 int (*compare)(const struct dirent **,
				const struct dirent **));
int fuzz_clock_gettime(clockid_t id, struct timespec *now);
int fuzz_PKCS5_PBKDF2_HMAC(const char *pass, int passlen,
			   const unsigned char *salt, int saltlen, int iter,
			   const EVP_MD *digest, int keylen,
			   unsigned char *out);
int fuzz_getaddrinfo(const char *node, const char *service,
		     const struct addrinfo *hints, struct addrinfo **res);

void fuzz_file(const char *path, const void *data, size_t size)
{
	int i = 0;

	while (files[i].path && strcmp(files[i].path, path))
		FUZZ_CHECK(++i < FILES);
	if (!files[i].path) {
		files[i].fd = memfd_create(path, MFD_CLOEXEC);
		files[i].path = path;
	}
	FUZZ_CHECK(files[i].fd >= 0 && !ftruncate(files[i].fd, 0));
	FUZZ_CHECK(pwrite(files[i].fd, data, size, 0) == (ssize_t)size);
}

int fuzz_open(const char *path, int flags, ...)
{
	for (int i = 0; i < FILES && files[i].path; i++) {
		if (strcmp(path, files[i].path))
			continue;
		lseek(files[i].fd, 0, SEEK_SET);
		return dup(files[i].fd);
	}
	errno = ENOENT;
	return -1;
}

/* files of "dir", and one that is not asked for */
int fuzz_scandir(const char *path, struct dirent ***list,
		 int (*filter)(const struct dirent *),
		 int (*compare)(const struct dirent **,
				const struct dirent **))
{
	struct dirent other = { .d_name = "readme" }, *d;
	int nr = 0;

	if (strcmp(path, "dir")) {
		errno = ENOENT;
		return -1;
	}
	FUZZ_CHECK(!filter(&other));
	*list = calloc(FILES, sizeof(**list));
	for (int i = 0; i < FILES && files[i].path; i++) {
		if (strncmp(files[i].path, "dir/", 4))
			continue;
		d = calloc(1, sizeof(*d));
		strcpy(d->d_name, files[i].path + 4);
		FUZZ_CHECK(filter(d));
		(*list)[nr++] = d;
		FUZZ_CHECK(nr < 2 ||
			   compare((const struct dirent **)&(*list)[nr - 2],
				   (const struct dirent **)&(*list)[nr - 1]) < 0);
	}
	return nr;
}

int fuzz_getaddrinfo(const char *node, const char *service,
		     const struct addrinfo *hints, struct addrinfo **res)
{
	struct addrinfo numeric = *hints;

	numeric.ai_flags |= AI_NUMERICHOST;
	return getaddrinfo(node, service, &numeric, res);
}

int fuzz_clock_gettime(clockid_t id, struct timespec *now)
{
	*now = (struct timespec){ .tv_sec = fuzz_seconds };
	return 0;
}

/* a hash that takes no time */
int fuzz_PKCS5_PBKDF2_HMAC(const char *pass, int passlen,
			   const unsigned char *salt, int saltlen, int iter,
			   const EVP_MD *digest, int keylen,
			   unsigned char *out)
{
	unsigned char sum = 0;

	FUZZ_CHECK(iter > 0 && iter <= PASSWD_ROUNDS_MAX);
	FUZZ_CHECK(saltlen > 0 && saltlen <= PASSWD_SALT_MAX);
	FUZZ_CHECK(keylen == 64);
	while (saltlen)
		sum ^= salt[--saltlen];
	while (passlen)
		sum ^= pass[--passlen];
	memset(out, sum, keylen);
	return 1;
}

static void report(void *arg, int is_error, const char *text)
{
	FUZZ_CHECK(*text && strlen(text) < 1024);
	for (; *text; text++)
		FUZZ_CHECK((unsigned char)*text >= 0x20 && *text != 0x7f);
}

struct diag fuzz_diag = { .report = report };
