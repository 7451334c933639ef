/*
 * Proving that no more was cut out than a pass has asked for.
 *
 * What may be missing of a loaded section is what cuts call dead, the unwind
 * tables if they were to go, and the ends of the tables that list symbols when
 * some are gone: those are compared symbol by symbol (prove_symbols.c). What cuts
 * put in place of code must be there, byte for byte.
 */
#include "image/image.h"

static bool lists_symbols(const Elf64_Shdr *shdr)
{
	return shdr->sh_type == SHT_DYNSYM || shdr->sh_type == SHT_HASH || shdr->sh_type == SHT_GNU_HASH ||
	       shdr->sh_type == SHT_GNU_versym;
}

void prove_allows(const struct image *old, const struct cuts *cuts, struct ranges *allowed)
{
	size_t i;

	for (i = 0; i < cuts->nr_dead; i++)
		ranges_add(allowed, cuts->dead[i].from, cuts->dead[i].to);
	for (i = 1; i < old->nr_shdrs; i++) {
		const Elf64_Shdr *shdr = &old->shdrs[i];

		if ((cuts->unwind && section_is_unwind(old, shdr)) || (cuts->nr_gone && lists_symbols(shdr)))
			ranges_add(allowed, shdr->sh_addr, shdr->sh_addr + shdr->sh_size);
	}
	ranges_normalize(allowed);
}

/* Relocations are compared entry by entry, with the patches to them. */
static bool is_relocation(const struct image *image, uint64_t vaddr)
{
	static const struct {
		int64_t tag, size_tag;
	} tables[] = {{DT_RELA, DT_RELASZ}, {DT_JMPREL, DT_PLTRELSZ}};
	uint64_t from, size;

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		if (image_tag(image, tables[i].tag, &from) && image_tag(image, tables[i].size_tag, &size) &&
		    vaddr - from < size)
			return true;
	return false;
}

int prove_patches(const struct image *old, const struct image *new, const struct cuts *cuts,
		  struct error *err)
{
	struct span bytes;

	for (size_t i = 0; i < cuts->nr_patches; i++) {
		const struct patch *patch = &cuts->patches[i];

		if (is_relocation(old, patch->vaddr))
			continue;
		if (!image_at(new, patch->vaddr, patch->bytes.n, &bytes) ||
		    memcmp(bytes.p, patch->bytes.p, bytes.n) != 0)
			return error_add(err, ERROR_VERIFY, "at address %#llx: a change is not there",
					 (unsigned long long)patch->vaddr);
	}
	return 0;
}
