/* Decimal units, as AWS and registries count. */
#include "sofold/size.h"

#include <inttypes.h>
#include <stdio.h>

const char *size_text(char buffer[SIZE_TEXT], uint64_t bytes)
{
	if (bytes < 1000)
		snprintf(buffer, SIZE_TEXT, "%" PRIu64 " B", bytes);
	else if (bytes < 1000000)
		snprintf(buffer, SIZE_TEXT, "%.1f kB", (double)bytes / 1e3);
	else
		snprintf(buffer, SIZE_TEXT, "%.2f MB", (double)bytes / 1e6);
	return buffer;
}
