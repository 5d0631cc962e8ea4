/* SPDX-License-Identifier: GPL-2.0 */
/* KTAP, and the files that the tests read. */
#ifndef KMQTT_TEST_KTAP_H
#define KMQTT_TEST_KTAP_H

#include <stdbool.h>

#include "diag.h"

/**
 * ktap_wanted() - is this test among those that T in the environment chooses?
 * @name: of the test
 */
bool ktap_wanted(const char *name);

/**
 * ktap_same() - the result of a test: is a text what it must be?
 * @name: of the test
 * @got: the text
 * @want: what it must be
 */
void ktap_same(const char *name, const char *got, const char *want);

/** ktap_true() - the result of a test that is just true or not */
void ktap_true(const char *name, bool passed);

/** ktap_end() - print the plan; the program's exit status */
int ktap_end(void);

/** file_write() - make a file in the current folder */
void file_write(const char *name, const char *text);

/**
 * said() - what parsers have reported since the last call
 *
 * Return: all reports, with a newline after each and "warning: " before
 * those that are no errors.
 */
const char *said(void);

/* the sink that said() reads */
extern struct diag test_diag;

void config_tests(void);
void passwd_tests(void);
void acl_tests(void);

#endif
