/*
 * Sizes as people write them, exactly: "1.5MB" is 1,500,000 bytes, and what is
 * no whole number of bytes is a mistake, not something to round.
 */
#include <ctype.h>
#include <string.h>

#include "guard/guard.h"

static const struct {
	const char *name;
	uint64_t bytes;
} units[] = {
	{"", 1},
	{"B", 1},
	{"kB", 1000},
	{"KB", 1000},
	{"MB", 1000000},
	{"GB", 1000000000},
	{"KiB", 1ull << 10},
	{"MiB", 1ull << 20},
	{"GiB", 1ull << 30},
};

bool guard_take_decimal(const char **text, struct decimal *decimal)
{
	const char *p = *text;
	bool fraction = false, any = false;

	*decimal = (struct decimal){0, 1};
	for (; isdigit((unsigned char)*p) || (*p == '.' && !fraction); p++) {
		if (*p == '.') {
			fraction = true;
			continue;
		}
		if (decimal->digits > (UINT64_MAX - 9) / 10 || decimal->scale > UINT64_MAX / 10)
			return false;
		decimal->digits = decimal->digits * 10 + (uint64_t)(*p - '0');
		decimal->scale *= fraction ? 10 : 1;
		any = true;
	}
	*text = p;
	return any;
}

bool guard_scale(const struct decimal *decimal, uint64_t unit, uint64_t *value)
{
	if (decimal->digits && unit > UINT64_MAX / decimal->digits)
		return false;
	*value = decimal->digits * unit / decimal->scale;
	return decimal->digits * unit % decimal->scale == 0;
}

bool guard_parse_size(const char *text, uint64_t *bytes)
{
	struct decimal decimal;
	size_t i;

	if (!guard_take_decimal(&text, &decimal))
		return false;
	text += strspn(text, " ");
	for (i = 0; i < sizeof units / sizeof *units; i++)
		if (!strcmp(text, units[i].name))
			return guard_scale(&decimal, units[i].bytes, bytes);
	return false;
}

bool guard_parse_percent(const char *text, unsigned *percent)
{
	struct decimal decimal;

	if (!guard_take_decimal(&text, &decimal) || decimal.scale != 1 || decimal.digits > 100 ||
	    (*text && strcmp(text, "%")))
		return false;
	*percent = (unsigned)decimal.digits;
	return true;
}
