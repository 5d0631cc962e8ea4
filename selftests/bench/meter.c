// SPDX-License-Identifier: GPL-2.0
#include "meter.h"

#include <stdio.h>
#include <unistd.h>
#include "latency.h"

static uint64_t idle_time(void)
{
	FILE *file = fopen("/proc/timer_list", "r");
	unsigned long long value;
	uint64_t sum = 0;
	char line[256];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " .idle_sleeptime : %llu", &value) == 1)
			sum += value;
	fclose(file);
	return sum;
}

/* Reading the file takes long, so both times it is not part of the stretch. */
void meter_begin(struct meter *meter)
{
	meter->idle = idle_time();
	meter->elapsed = latency_clock();
}

void meter_end(struct meter *meter)
{
	meter->elapsed = latency_clock() - meter->elapsed;
	meter->idle = idle_time() - meter->idle;
}

uint64_t meter_busy(const struct meter *meter)
{
	uint64_t all = meter->elapsed * sysconf(_SC_NPROCESSORS_ONLN);

	/* A sleep that was not over is counted when it is. */
	return all > meter->idle ? all - meter->idle : 0;
}
