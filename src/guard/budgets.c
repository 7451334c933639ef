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

/* A path has a "/" or a ".", most globs a "*": what has none is a misspelt word. */
static int check_glob(const char *text, struct error *err)
{
	if (strpbrk(text, "*?[/."))
		return 0;
	return error_add(err, ERROR_USAGE,
			 "unknown budget '%s'; there are unzipped, zipped, native, duplicates, layers, "
			 "wheel:NAME and globs of paths",
			 text);
}

/* "native", "wheel:numpy" or a glob. */
static int name_thing(struct arena *arena, const char *text, struct guard_budget *budget, struct error *err)
{
	static const char wheel[] = "wheel:";
	const char *name = arena_strdup(arena, text);

	for (budget->what = 0; (size_t)budget->what < nr_words; budget->what++) {
		budget->name = words[budget->what];
		if (!strcmp(name, budget->name))
			return 0;
	}
	budget->what = strncmp(name, wheel, strlen(wheel)) ? GUARD_PATHS : GUARD_WHEEL;
	budget->name = budget->what == GUARD_WHEEL ? name + strlen(wheel) : name;
	return budget->what == GUARD_PATHS ? check_glob(name, err) : 0;
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

int guard_add_budget(struct arena *arena, struct guard_budgets *budgets, const char *what, const char *limit,
		     const char *because, struct error *err)
{
	struct guard_budget budget = {.because = because};

	if (name_thing(arena, what, &budget, err))
		return ERROR_USAGE;
	if (!parse_limit(limit, &budget))
		return bad_limit(&budget, limit, err);
	*VEC_PUSH(arena, budgets, items) = budget;
	return 0;
}

int guard_parse_budget(struct arena *arena, struct guard_budgets *budgets, const char *text,
		       struct error *err)
{
	const char *sign = strrchr(text, '=');

	if (!sign || sign == text)
		return error_add(err, ERROR_USAGE, "--budget takes WHAT=SIZE, not '%s'", text);
	return guard_add_budget(arena, budgets, arena_strndup(arena, text, (size_t)(sign - text)), sign + 1,
				"--budget", err);
}

/* "2%" or "0.25%". */
static bool parse_percent(const char *text, struct guard_budget *budget)
{
	struct decimal decimal;

	budget->is_percent = guard_take_decimal(&text, &decimal) && !strcmp(text, "%") &&
			     guard_scale(&decimal, 100, &budget->limit);
	return budget->is_percent;
}

int guard_add_increase(struct arena *arena, struct guard_budgets *budgets, const char *what,
		       const char *limit, const char *because, struct error *err)
{
	struct guard_budget budget = {.is_growth = true, .because = because};

	if (name_thing(arena, what, &budget, err))
		return ERROR_USAGE;
	if (budget.what == GUARD_PATHS)
		return error_add(err, ERROR_USAGE, "a baseline does not know the files of '%s'", budget.name);
	if (!parse_percent(limit, &budget) && !parse_limit(limit, &budget))
		return error_add(err, ERROR_USAGE, "'%s' is no increase; write 2%% or 5MB", limit);
	*VEC_PUSH(arena, budgets, items) = budget;
	return 0;
}

int guard_parse_increase(struct arena *arena, struct guard_budgets *budgets, const char *text,
			 struct error *err)
{
	const char *sign = strrchr(text, '='), *what = guard_word(GUARD_UNZIPPED);

	if (sign)
		what = arena_strndup(arena, text, (size_t)(sign - text));
	return guard_add_increase(arena, budgets, what, sign ? sign + 1 : text, "--max-increase", err);
}

bool guard_has_budget(const struct guard_budgets *budgets, const struct guard_budget *like)
{
	size_t i;

	for (i = 0; i < budgets->nr_items; i++) {
		const struct guard_budget *budget = &budgets->items[i];

		if (budget->what == like->what && budget->is_growth == like->is_growth &&
		    !strcmp(budget->name, like->name))
			return true;
	}
	return false;
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
