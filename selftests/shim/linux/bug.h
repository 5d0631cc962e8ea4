/* SPDX-License-Identifier: GPL-2.0 */
/* What warns in the kernel ends the test. */
#ifndef SHIM_LINUX_BUG_H
#define SHIM_LINUX_BUG_H

#include <stdio.h>
#include <stdlib.h>

#define WARN_ON(condition) ({						\
	int warn_on = !!(condition);					\
									\
	if (warn_on) {							\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,	\
			#condition);					\
		abort();						\
	}								\
	warn_on;							\
})
#define WARN_ON_ONCE(condition) WARN_ON(condition)

#endif
