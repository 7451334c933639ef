/* What is allowed: WHAT=LIMIT, from the command line or from a platform. */
#include <string.h>

#include "guard/guard.h"
#include "sofold/vec.h"

enum { MAX_LAYERS = 5 };

static const char *const words[] = {
	[GUARD_UNZIPPED] = "unzipped",	   [GUARD_ZIPPED] = "zipped", [GUARD_NATIVE] = "native",
	[GUARD_DUPLICATES] = "duplicates", [GUARD_LAYERS] = "layers",
};

static const size_t nr_words = sizeof words / sizeof *words;

const char *guard_word(enum guard_what what)
{
	return (size_t)what < nr_words ? words[what] : "";
}

/* "native", "wheel:numpy" or a glob. */
static void name_thing(struct arena *arena, const char *text, size_t n, struct guard_budget *budget)
{
	static const char wheel[] = "wheel:";
	const char *name = arena_strndup(arena, text, n);

	for (budget->what = 0; (size_t)budget->what < nr_words; budget->what++) {
		budget->name = words[budget->what];
		if (!strcmp(name, budget->name))
			return;
	}
	budget->what = strncmp(name, wheel, strlen(wheel)) ? GUARD_PATHS : GUARD_WHEEL;
	budget->name = budget->what == GUARD_WHEEL ? name + strlen(wheel) : name;
}

static int bad_limit(const struct guard_budget *budget, const char *text, struct error *err)
{
	if (budget->what == GUARD_LAYERS)
		return error_add(err, ERROR_USAGE, "'%s' is no number of layers", text);
	return error_add(err, ERROR_USAGE,
			 "'%s' is no size; write 60MB (1,000,000), 60MiB (1,048,576) or bytes", text);
}

static bool parse_limit(const char *text, struct guard_budget *budget)
{
	if (budget->what == GUARD_LAYERS && text[strspn(text, "0123456789")])
		return false;
	return guard_parse_size(text, &budget->limit);
}

int guard_parse_budget(struct arena *arena, struct guard_budgets *budgets, const char *text,
		       struct error *err)
{
	const char *sign = strrchr(text, '=');
	struct guard_budget budget = {.because = "--budget"};

	if (!sign || sign == text)
		return error_add(err, ERROR_USAGE, "--budget takes WHAT=SIZE, not '%s'", text);
	name_thing(arena, text, (size_t)(sign - text), &budget);
	if (!parse_limit(sign + 1, &budget))
		return bad_limit(&budget, sign + 1, err);
	*VEC_PUSH(arena, budgets, items) = budget;
	return 0;
}

/* "2%" or "0.25%". */
static bool parse_percent(const char *text, struct guard_budget *budget)
{
	struct decimal decimal;

	budget->is_percent = guard_take_decimal(&text, &decimal) && !strcmp(text, "%") &&
			     guard_scale(&decimal, 100, &budget->limit);
	return budget->is_percent;
}

int guard_parse_increase(struct arena *arena, struct guard_budgets *budgets, const char *text,
			 struct error *err)
{
	const char *sign = strrchr(text, '='), *limit = sign ? sign + 1 : text;
	struct guard_budget budget = {.name = guard_word(GUARD_UNZIPPED), .is_growth = true};

	budget.because = "--max-increase";
	if (sign)
		name_thing(arena, text, (size_t)(sign - text), &budget);
	if (budget.what == GUARD_PATHS)
		return error_add(err, ERROR_USAGE, "a baseline does not know the files of '%s'", budget.name);
	if (!parse_percent(limit, &budget) && !parse_limit(limit, &budget))
		return error_add(err, ERROR_USAGE, "--max-increase takes 2%% or 5MB, not '%s'", limit);
	*VEC_PUSH(arena, budgets, items) = budget;
	return 0;
}

static void add(struct arena *arena, struct guard_budgets *budgets, const struct platform *platform,
		enum guard_what what, uint64_t limit, bool only_warns)
{
	if (limit)
		*VEC_PUSH(arena, budgets, items) = (struct guard_budget){
			.what = what,
			.name = guard_word(what),
			.limit = limit,
			.only_warns = only_warns,
			.because = platform->name,
		};
}

void guard_platform_budgets(struct arena *arena, struct guard_budgets *budgets,
			    const struct platform *platform)
{
	add(arena, budgets, platform, GUARD_UNZIPPED, platform->limit_unzipped, false);
	add(arena, budgets, platform, GUARD_ZIPPED, platform->limit_zipped, true);
	add(arena, budgets, platform, GUARD_LAYERS, platform->layer_mount ? MAX_LAYERS : 0, false);
}
