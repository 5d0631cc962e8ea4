/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _PLANTED_MODULE_H
#define _PLANTED_MODULE_H

#include "around.h"

/**
 * planted_other() - has an argument less than is said here
 * @value: is there
 * @other: is not
 */
void planted_other(int value);

#endif
