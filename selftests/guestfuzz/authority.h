/* SPDX-License-Identifier: GPL-2.0 */
/* The authority that lets in whom the sessions need. */
#ifndef GUESTFUZZ_AUTHORITY_H
#define GUESTFUZZ_AUTHORITY_H

#include "genl.h"

/* Become it. Return: as genl_ask(). */
int authority_begin(struct genl *nl);
/* Answer all the questions that are there. */
void authority_answer(struct genl *nl);

#endif
