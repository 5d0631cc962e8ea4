// SPDX-License-Identifier: GPL-2.0
/* A fault for each tool that reads user space. */

static int planted(const int *value)
{
	if (!value)
		return *value;
	return value[0];
}

int main(void)
{
	int unused;

	return planted(0);
}
