/*
 * Proving that a rewritten file loads as the old one did.
 *
 * This shares nothing with the writer but the parser: it looks at both files
 * as a loader would, through their program headers, and compares. Every
 * address of the old image must be in one of three classes: dropped (listed,
 * and then not mapped from the file by the new one), edited (listed), or
 * equal, with the same permissions. Memory that starts as zeros must be as
 * long as it was.
 */
#include "image/image.h"

static int differs(struct error *err, uint64_t vaddr, const char *what)
{
	return error_add(err, ERROR_VERIFY, "at address %#llx: %s", (unsigned long long)vaddr, what);
}

static const Elf64_Phdr *load_at(const struct image *image, uint64_t vaddr)
{
	const Elf64_Phdr *load = image_load_before(image, vaddr);

	return load && vaddr - load->p_vaddr < load->p_memsz ? load : NULL;
}

/* A piece without any code may have lost the permission to execute, nothing
 * else may have changed. */
static bool same_permissions(const struct image *old, const Elf64_Phdr *before, const Elf64_Phdr *after)
{
	if (before->p_flags == after->p_flags)
		return true;
	return before->p_flags == (after->p_flags | PF_X) && old->nr_shdrs &&
	       !image_has_code(old, after->p_vaddr, after->p_vaddr + after->p_filesz);
}

/* Compares the stretch of file-backed bytes of the old image at [from, to)
 * that no list mentions, as far as one segment of the new image reaches. */
static int compare_bytes(const struct image *old, const struct image *new, uint64_t from, uint64_t to,
			 uint64_t *done, struct error *err)
{
	const Elf64_Phdr *before = load_at(old, from), *after = load_at(new, from);
	uint64_t n = to - from;
	struct span a, b;

	if (!after)
		return differs(err, from, "a live byte is not loaded any more");
	if (!same_permissions(old, before, after))
		return differs(err, from, "permissions differ");
	if (n > after->p_vaddr + after->p_filesz - from)
		n = after->p_vaddr + after->p_filesz - from;
	if (from >= after->p_vaddr + after->p_filesz || !image_at(old, from, n, &a) ||
	    !image_at(new, from, n, &b))
		return differs(err, from, "a live byte is not loaded from the file any more");
	if (memcmp(a.p, b.p, n))
		return differs(err, from, "live bytes differ");
	*done = from + n;
	return 0;
}

/* Compares what no list mentions. */
static int compare_load(const struct image *old, const struct image *new, const struct ranges *listed,
			const Elf64_Phdr *load, struct error *err)
{
	uint64_t at = load->p_vaddr, end = load->p_vaddr + load->p_filesz;

	while (at < end) {
		const struct range *next = ranges_next(listed, at);

		if (next && next->from <= at)
			at = next->to;
		else if (compare_bytes(old, new, at, next && next->from < end ? next->from : end, &at, err))
			return ERROR_VERIFY;
	}
	return 0;
}

/* The zeroed tail of a segment must end where it ended and start no earlier. */
static int compare_zeros(const struct image *new, const Elf64_Phdr *load, struct error *err)
{
	uint64_t from = load->p_vaddr + load->p_filesz, to = load->p_vaddr + load->p_memsz;
	const Elf64_Phdr *after;

	if (from == to)
		return 0;
	after = load_at(new, from);
	if (!after || after->p_vaddr + after->p_filesz != from || after->p_vaddr + after->p_memsz != to)
		return differs(err, from, "zeroed memory differs");
	return 0;
}

/* Offsets congruent to addresses modulo the alignment and the page; segments
 * that ascend and share no page with different permissions or other bytes. */
static int check_layout(const struct image *old, const struct image *new, uint64_t page, struct error *err)
{
	size_t i;

	for (i = 0; i < new->nr_loads; i++) {
		const Elf64_Phdr *load = &new->loads[i], *before = load_at(old, load->p_vaddr);

		if (load->p_align < page && (!before || load->p_align < before->p_align))
			return differs(err, load->p_vaddr, "a segment's alignment is below the page size");
		if ((load->p_vaddr - load->p_offset) & ((load->p_align > 1 ? load->p_align : 1) - 1))
			return differs(err, load->p_vaddr, "file offset not congruent to address");
		if (i && (load->p_vaddr & ~(page - 1)) < load[-1].p_vaddr + load[-1].p_memsz &&
		    load_at(old, load->p_vaddr) == NULL)
			return differs(err, load->p_vaddr, "a new segment shares a page with another");
	}
	return 0;
}

/* dl_iterate_phdr() needs the table in memory. Without PT_PHDR glibc takes it
 * from the first segment whose pages reach over it (elf/dl-load.h,
 * _dl_postprocess_loadcmd), where it must not find the zeros that follow the
 * segment's bytes. */
static int check_phdrs(const struct image *new, uint64_t page, struct error *err)
{
	uint64_t from = new->ehdr.e_phoff, to = from + new->nr_phdrs * sizeof(Elf64_Phdr);
	const Elf64_Phdr *said = image_phdr(new, PT_PHDR);
	size_t i;

	if (said && (said->p_offset != from || said->p_filesz != to - from))
		return error_add(err, ERROR_VERIFY, "PT_PHDR does not describe the program headers");

	for (i = 0; i < new->nr_loads; i++) {
		const Elf64_Phdr *load = &new->loads[i];
		uint64_t end = load->p_offset + load->p_filesz;

		if (from >= load->p_offset && to <= end)
			return 0;
		if (!said && load->p_memsz > load->p_filesz && from >= (load->p_offset & ~(page - 1)) &&
		    from < ((end + page - 1) & ~(page - 1)))
			return error_add(err, ERROR_VERIFY, "the program headers would be zeroed");
	}
	return error_add(err, ERROR_VERIFY, "the program headers are not loaded");
}

static bool same_description(const struct image *old, const Elf64_Phdr *a, const Elf64_Phdr *b)
{
	const Elf64_Shdr *note = image_misplaced_note(old, a);

	if (a->p_type != b->p_type || a->p_flags != b->p_flags || a->p_align != b->p_align)
		return false;
	return a->p_type == PT_PHDR || (b->p_vaddr == (note ? note->sh_addr : a->p_vaddr) &&
					a->p_memsz == b->p_memsz && a->p_filesz == b->p_filesz);
}

/* Segments other than PT_LOAD must be the same ones, in the same order, at
 * the same addresses; only their offsets may differ. A table that has moved may
 * have got a PT_PHDR. */
static int compare_others(const struct image *old, const struct image *new, bool without_unwind,
			  struct error *err)
{
	bool may_add = !image_phdr(old, PT_PHDR);
	size_t i = 0, j = 0;

	for (;; i++, j++) {
		const Elf64_Phdr *a, *b;

		while (i < old->nr_phdrs && (old->phdrs[i].p_type == PT_LOAD ||
					     (without_unwind && phdr_is_unwind(&old->phdrs[i]))))
			i++;
		while (j < new->nr_phdrs &&
		       (new->phdrs[j].p_type == PT_LOAD || (may_add && new->phdrs[j].p_type == PT_PHDR)))
			j++;
		if (i == old->nr_phdrs || j == new->nr_phdrs)
			break;
		a = &old->phdrs[i];
		b = &new->phdrs[j];
		if (!same_description(old, a, b))
			return differs(err, a->p_vaddr, "a segment's description differs");
	}
	if (i != old->nr_phdrs || j != new->nr_phdrs)
		return error_add(err, ERROR_VERIFY, "a segment's description is missing or new");
	return 0;
}

/* Each described segment's file range must be the bytes loaded at its address. */
static int check_offsets(const struct image *new, struct error *err)
{
	struct span loaded, described;
	size_t i;

	for (i = 0; i < new->nr_phdrs; i++) {
		const Elf64_Phdr *phdr = &new->phdrs[i];

		if (phdr->p_type == PT_LOAD || phdr->p_type == PT_GNU_STACK || !phdr->p_filesz)
			continue;
		if (image_at(new, phdr->p_vaddr, phdr->p_filesz, &loaded) &&
		    (!span_sub(new->file, phdr->p_offset, phdr->p_filesz, &described) ||
		     described.p != loaded.p))
			return differs(err, phdr->p_vaddr, "a segment's offset and address disagree");
	}
	return 0;
}

static void add_all(struct ranges *ranges, const struct range *items, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		ranges_add(ranges, items[i].from, items[i].to);
	ranges_normalize(ranges);
}

/* Nothing a section describes may be dropped, save what was to be cut out of it and a
 * string table that the new file has elsewhere. */
static int check_dropped(struct arena *arena, const struct image *old, const struct image *new,
			 const struct image_result *result, struct error *err)
{
	struct ranges dropped = {.arena = arena}, allowed = {.arena = arena};
	size_t i;

	add_all(&dropped, result->dropped, result->nr_dropped);
	if (result->cuts)
		prove_allows(old, result->cuts, &allowed);
	ranges_subtract(&dropped, &allowed);
	for (i = 1; i < old->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &old->shdrs[i];
		const struct range *next = ranges_next(&dropped, shdr->sh_addr);

		if (section_is_loaded(shdr) && shdr->sh_size && next &&
		    next->from < shdr->sh_addr + shdr->sh_size &&
		    (shdr->sh_addr != old->strtab || old->strtab == new->strtab))
			return differs(err, shdr->sh_addr, "a loaded section was dropped");
	}
	return 0;
}

static int prove_cuts(struct arena *arena, const struct image *old, const struct image *new,
		      const struct cuts *cuts, struct error *err)
{
	if (!cuts)
		return 0;
	return prove_patches(old, new, cuts, err) ? ERROR_VERIFY : prove_symbols(arena, old, new, cuts, err);
}

static int prove(struct arena *arena, struct span file, const struct image_result *result, uint64_t page,
		 struct error *err)
{
	struct ranges listed = {.arena = arena};
	struct image old, new;
	size_t i;

	if (image_load(arena, file, &old, err) || image_load(arena, result->bytes, &new, err))
		return ERROR_VERIFY;
	add_all(&listed, result->dropped, result->nr_dropped);
	add_all(&listed, result->edited, result->nr_edited);
	if (check_layout(&old, &new, page, err) || check_phdrs(&new, page, err) ||
	    compare_others(&old, &new, result->cuts && result->cuts->unwind, err) ||
	    check_offsets(&new, err) || check_dropped(arena, &old, &new, result, err))
		return ERROR_VERIFY;
	for (i = 0; i < old.nr_loads; i++)
		if (compare_load(&old, &new, &listed, &old.loads[i], err) ||
		    compare_zeros(&new, &old.loads[i], err))
			return ERROR_VERIFY;
	return prove_cuts(arena, &old, &new, result->cuts, err);
}

int image_prove(struct span file, const struct image_result *result, uint64_t page, struct error *err)
{
	struct arena *arena = arena_new();
	int rc = prove(arena, file, result, page, err);

	arena_free(arena);
	return rc;
}
