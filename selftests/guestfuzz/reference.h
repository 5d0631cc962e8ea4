/* SPDX-License-Identifier: GPL-2.0 */
/* How sessions are answered when nothing is done to them. */
#ifndef GUESTFUZZ_REFERENCE_H
#define GUESTFUZZ_REFERENCE_H

#include "plan.h"

/*
 * A plan that changes nothing was answered with @in: as its session says, and
 * as it was the first time? Packets of different types may overtake each other.
 */
void reference_check(const struct plan *plan, const uint8_t *in, size_t len);

#endif
