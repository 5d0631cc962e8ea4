// SPDX-License-Identifier: GPL-2.0
/* What the twin of the unit tests calls there. */
#include <stdlib.h>
#include "unit.h"

void unit_fail(const char *file, int line, const char *format, ...)
{
	(void)file;
	(void)line;
	(void)format;
	abort();
}

/* an input is all that is random here */
u32 unit_random(u32 below)
{
	(void)below;
	abort();
}
