/*
 * What a pass has found nobody needs, taken out of the draft.
 *
 * Dead ranges leave the list of live bytes; layout.c then cuts the segments at
 * whole pages of them and sections.c the sections. Bytes at the edges of a dead
 * range, in pages that stay, are not touched. Symbols and patches are for symbols.c.
 *
 * Unwind tables are one dead range a section, and their program header goes:
 * unwinders find .eh_frame through it alone (LSB, "PT_GNU_EH_FRAME"; libgcc,
 * unwind-dw2-fde-dip.c) and take an object without one for the end of the stack.
 */
#include "image/symbols.h"

#define SHT_X86_64_UNWIND 0x70000001

bool section_is_unwind(const struct image *image, const Elf64_Shdr *shdr)
{
	const char *name = image_section_name(image, shdr);

	return section_is_loaded(shdr) &&
	       (shdr->sh_type == SHT_PROGBITS || shdr->sh_type == SHT_X86_64_UNWIND) &&
	       (!strcmp(name, ".eh_frame") || !strcmp(name, ".eh_frame_hdr"));
}

static int refuse(struct error *err, const char *why)
{
	return error_add(err, ERROR_REFUSED, "%s", why);
}

static void add_unwind(const struct image *image, struct ranges *dead)
{
	for (size_t i = 1; i < image->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &image->shdrs[i];

		if (section_is_unwind(image, shdr))
			ranges_add(dead, shdr->sh_addr, shdr->sh_addr + shdr->sh_size);
	}
}

static int add_dead(const struct draft *draft, struct ranges *asked, struct error *err)
{
	const struct cuts *cuts = draft->edits->cuts;
	struct span bytes;

	for (size_t i = 0; i < cuts->nr_dead; i++) {
		const struct range *dead = &cuts->dead[i];

		if (dead->from >= dead->to ||
		    !image_at(draft->image, dead->from, dead->to - dead->from, &bytes))
			return refuse(err, "what is to be cut out does not lie in one segment");
		ranges_add(asked, dead->from, dead->to);
	}
	if (cuts->unwind)
		add_unwind(draft->image, asked);
	ranges_normalize(asked);
	return 0;
}

int draft_cuts(struct draft *draft, struct error *err)
{
	const struct cuts *cuts = draft->edits->cuts;
	struct ranges asked = {.arena = draft->arena};
	size_t i;

	if (!cuts)
		return 0;
	if (!draft->edits->compact || !draft->image->nr_shdrs || image_is_program(draft->image))
		return refuse(err,
			      "only a shared object with section headers that is laid out anew can be cut");
	if (add_dead(draft, &asked, err) || check_tables_whole(draft->image, cuts, &asked, err))
		return ERROR_REFUSED;
	for (i = 0; i < asked.nr_items; i++)
		ranges_add(&draft->dead, asked.items[i].from, asked.items[i].to);
	ranges_normalize(&draft->dead);
	if (check_holes(draft->image, cuts, &draft->dead, err))
		return ERROR_REFUSED;
	ranges_subtract(&draft->live, &draft->dead);
	return 0;
}
