#ifndef _PLANTED_AROUND_H
#define _PLANTED_AROUND_H

#include "module.h"

#endif
